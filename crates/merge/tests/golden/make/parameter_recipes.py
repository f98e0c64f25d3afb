"""Recipes on fixtures/tiny-qwen2 (6 layers) whose parameters are worth a check: each one pins one rule of the language.

Only the parameters are evaluated, so a recipe may be a bad merge.
"""

PAIR = """\
models:
  - model: fixtures/tiny-qwen2/base
  - model: fixtures/tiny-qwen2/instruct
merge_method: slerp
base_model: fixtures/tiny-qwen2/instruct
parameters:
"""

RECIPES = {
    "slerp scalar": PAIR + "  t: 0.3\n",
    "slerp V": PAIR + "  t: [0, 0.25, 0.5, 0.25, 0]\n",
    "gradient of one value": PAIR + "  t: [0.4]\n",
    "gradient of two values": PAIR + "  t: [0.1, 0.9]\n",
    "gradient with more values than layers": PAIR + "  t: [0, 0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4, 0.5]\n",
    "gradient with as many values as layers": PAIR + "  t: [0.1, 0.2, 0.4, 0.8, 0.16, 0.32]\n",
    "numbers as YAML 1.1 text": PAIR + "  t: [1e-1, 9e-1]\n",
    "filters with gradients": PAIR + """\
  t:
    - filter: self_attn
      value: [0, 0.5, 0.3, 0.7, 1]
    - filter: mlp
      value: [1, 0.5, 0.7, 0.3, 0]
    - value: 0.5
""",
    "the first filter that fits wins": PAIR + """\
  t:
    - filter: proj.weight
      value: 0.1
    - filter: self_attn
      value: 0.2
    - filter: layers.1.
      value: 0.3
    - filter: "*"
      value: 0.4
    - value: 0.5
""",
    "a filter's case counts": PAIR + """\
  t:
    - filter: MLP
      value: 0.1
    - filter: norm
      value: 0.2
    - value: 0.3
""",
    "one mapping in place of a list": PAIR + "  t: {filter: '*', value: [0, 1]}\n",
    "slices of slerp": """\
slices:
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [0, 3]
      - model: fixtures/tiny-qwen2/base
        layer_range: [0, 3]
    parameters:
      t: [0, 0.6]
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [3, 5]
      - model: fixtures/tiny-qwen2/base
        layer_range: [3, 5]
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [5, 6]
      - model: fixtures/tiny-qwen2/base
        layer_range: [5, 6]
    parameters:
      t: [0.2, 0.7]
merge_method: slerp
base_model: fixtures/tiny-qwen2/instruct
parameters:
  t: 0.6
""",
    "a slice's filter that fits nothing falls through": """\
slices:
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [0, 6]
      - model: fixtures/tiny-qwen2/base
        layer_range: [0, 6]
    parameters:
      t:
        - filter: self_attn
          value: 0.9
merge_method: slerp
base_model: fixtures/tiny-qwen2/instruct
parameters:
  t: [0.1, 0.2]
""",
    "global filters see the output's name": """\
slices:
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [3, 5]
      - model: fixtures/tiny-qwen2/base
        layer_range: [1, 3]
merge_method: slerp
base_model: fixtures/tiny-qwen2/instruct
parameters:
  t:
    - filter: layers.0.
      value: 0.1
    - filter: layers.1.
      value: 0.2
    - filter: layers.3.
      value: 0.3
    - value: 0.4
""",
    "linear weights, one for each model": """\
models:
  - model: fixtures/tiny-qwen2/base
    parameters: {weight: 0.2}
  - model: fixtures/tiny-qwen2/instruct
    parameters: {weight: [0, 1]}
  - model: fixtures/tiny-qwen2/math
    parameters:
      weight:
        - filter: mlp
          value: [1, 0.5, 0]
        - filter: embed
          value: 2
        - value: 0.25
merge_method: linear
""",
    "a model's own value stands above the common one": """\
models:
  - model: fixtures/tiny-qwen2/instruct
    parameters:
      weight:
        - filter: self_attn
          value: 0.9
  - model: fixtures/tiny-qwen2/math
merge_method: linear
parameters:
  weight: [0.3, 0.6]
  normalize: false
""",
    "a gradient of booleans": """\
models:
  - model: fixtures/tiny-qwen2/instruct
    parameters: {weight: 1}
  - model: fixtures/tiny-qwen2/math
    parameters: {weight: 2}
merge_method: linear
parameters:
  normalize: [true, false, true]
""",
    "yes and off are booleans": """\
models:
  - model: fixtures/tiny-qwen2/instruct
    parameters: {weight: 1}
  - model: fixtures/tiny-qwen2/math
    parameters: {weight: 2}
merge_method: linear
parameters:
  normalize:
    - filter: mlp
      value: off
    - value: yes
""",
    "anchors and merge keys": """\
models:
  - model: fixtures/tiny-qwen2/instruct
    parameters: &common
      weight: [0.1, 0.4]
  - model: fixtures/tiny-qwen2/math
    parameters:
      <<: *common
  - model: fixtures/tiny-qwen2/base
    parameters:
      <<: *common
      weight: 0.5
merge_method: linear
""",
    "a model's filters see its own input names": """\
slices:
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [2, 4]
        parameters:
          weight:
            - filter: layers.2.
              value: 0.1
            - filter: layers.0.
              value: 0.2
            - value: 0.3
      - model: fixtures/tiny-qwen2/math
        layer_range: [0, 2]
        parameters:
          weight:
            - filter: layers.2.
              value: 0.4
            - filter: layers.0.
              value: 0.5
            - value: 0.6
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [4, 6]
        parameters: {weight: [0.7, 0.8]}
      - model: fixtures/tiny-qwen2/math
        layer_range: [3, 5]
merge_method: linear
parameters:
  weight: [0.9, 1]
""",
    "source over slice over top": """\
slices:
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [0, 2]
        parameters: {weight: 0.1}
      - model: fixtures/tiny-qwen2/math
        layer_range: [0, 2]
    parameters: {weight: 0.2, normalize: false}
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [2, 6]
      - model: fixtures/tiny-qwen2/math
        layer_range: [2, 6]
merge_method: linear
parameters: {weight: 0.3}
""",
    "a module's parameters": """\
modules:
  default:
    slices:
      - sources:
          - model: fixtures/tiny-qwen2/instruct
            layer_range: [0, 3]
          - model: fixtures/tiny-qwen2/math
            layer_range: [0, 3]
        parameters: {weight: [0.1, 0.2]}
      - sources:
          - model: fixtures/tiny-qwen2/instruct
            layer_range: [3, 6]
          - model: fixtures/tiny-qwen2/math
            layer_range: [3, 6]
    parameters: {weight: [0.3, 0.4]}
merge_method: linear
parameters: {weight: 0.5, normalize: false}
""",
    "base_model is added as an input": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: linear
base_model: fixtures/tiny-qwen2/base
parameters: {weight: [0.1, 0.2]}
""",
    "stacked layers with scales": """\
slices:
  - sources:
      - model: fixtures/tiny-qwen2/base
        layer_range: [0, 4]
  - sources:
      - model: fixtures/tiny-qwen2/base
        layer_range: [2, 4]
        parameters:
          scale:
            - filter: o_proj
              value: 0
            - filter: down_proj
              value: [0, 0.5]
            - value: 1
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [5, 6]
merge_method: passthrough
""",
    "ties with gradients, none for the base": """\
models:
  - model: fixtures/tiny-qwen2/base
  - model: fixtures/tiny-qwen2/instruct
    parameters: {density: [1, 0.7, 0.1], weight: 1}
  - model: fixtures/tiny-qwen2/math
    parameters:
      density: 0.33
      weight:
        - filter: mlp
          value: 0.5
        - value: 0
merge_method: ties
base_model: fixtures/tiny-qwen2/base
parameters: {normalize: true, int8_mask: true}
""",
    "a common value is for all but the base": """\
models:
  - model: fixtures/tiny-qwen2/base
  - model: fixtures/tiny-qwen2/instruct
    parameters: {weight: 0.7}
  - model: fixtures/tiny-qwen2/math
merge_method: dare_ties
base_model: fixtures/tiny-qwen2/base
parameters:
  weight: [0.2, 0.4]
  density: [1, 0.5]
""",
    "the base's own parameters are not used": """\
models:
  - model: fixtures/tiny-qwen2/instruct
    parameters: {weight: 1, density: 0.3}
  - model: fixtures/tiny-qwen2/base
    parameters: {weight: 9, density: 9}
  - model: fixtures/tiny-qwen2/math
    parameters: {weight: 0.5, density: 0.6}
merge_method: dare_linear
base_model: fixtures/tiny-qwen2/base
parameters: {rescale: false, lambda: [1, 0.5]}
""",
    "defaults of breadcrumbs": """\
models:
  - model: fixtures/tiny-qwen2/instruct
    parameters: {weight: 1}
  - model: fixtures/tiny-qwen2/math
    parameters: {weight: 0.5, gamma: [0, 0.1], density: 0.9}
merge_method: breadcrumbs
base_model: fixtures/tiny-qwen2/base
""",
    "breadcrumbs_ties with a common gamma": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: breadcrumbs_ties
base_model: fixtures/tiny-qwen2/base
parameters:
  weight: 1
  density:
    - filter: self_attn
      value: [0.9, 0.5]
    - value: 0.7
  gamma: 1e-2
  normalize: yes
""",
    "della with filters on density and epsilon": """\
models:
  - model: fixtures/tiny-qwen2/instruct
    parameters:
      weight: 1
      density: 0.6
      epsilon:
        - filter: mlp
          value: [0.1, 0.2]
        - value: 0.05
  - model: fixtures/tiny-qwen2/math
    parameters:
      weight: 0.5
      density:
        - filter: o_proj
          value: 0.4
merge_method: della
base_model: fixtures/tiny-qwen2/base
parameters: {lambda: 1.1}
""",
    "defaults of della_linear": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: della_linear
base_model: fixtures/tiny-qwen2/base
parameters: {weight: 1}
""",
    "task_arithmetic takes a density": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: task_arithmetic
base_model: fixtures/tiny-qwen2/base
parameters: {weight: [1, 0.5], density: 0.4, normalize: true}
""",
    "defaults of ties": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: ties
base_model: fixtures/tiny-qwen2/base
parameters: {weight: 1}
""",
    "slices of task vectors": """\
slices:
  - sources:
      - model: fixtures/tiny-qwen2/base
        layer_range: [0, 3]
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [0, 3]
        parameters: {weight: [0.1, 0.3]}
      - model: fixtures/tiny-qwen2/math
        layer_range: [0, 3]
    parameters: {density: 0.5}
  - sources:
      - model: fixtures/tiny-qwen2/instruct
        layer_range: [3, 6]
      - model: fixtures/tiny-qwen2/math
        layer_range: [3, 6]
        parameters: {weight: 0.9}
      - model: fixtures/tiny-qwen2/base
        layer_range: [3, 6]
merge_method: ties
base_model: fixtures/tiny-qwen2/base
parameters: {weight: 0.4, density: [0.8, 0.6], normalize: false}
""",
    "sce with a gradient": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: sce
base_model: fixtures/tiny-qwen2/base
parameters:
  select_topk: [0.1, 0.9]
  int8_mask: true
""",
    "ram with an epsilon": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: ram
base_model: fixtures/tiny-qwen2/base
parameters:
  epsilon:
    - filter: mlp
      value: 1e-4
""",
    "ramplus_tl with filters": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: ramplus_tl
base_model: fixtures/tiny-qwen2/base
parameters:
  r: [0.1, 0.3]
  alpha:
    - filter: self_attn
      value: 0.5
""",
    "model_stock filter by filter": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: model_stock
base_model: fixtures/tiny-qwen2/base
parameters:
  filter_wise:
    - filter: mlp
      value: true
    - filter: o_proj
      value: [true, false]
    - value: false
""",
    "karcher with a whole number": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: karcher
parameters:
  max_iter: 100
  tol: 1e-9
""",
    "multislerp without a base": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: multislerp
parameters:
  weight: [0, 1]
  normalize_weights: false
""",
    "multislerp with a base": """\
models:
  - model: fixtures/tiny-qwen2/instruct
  - model: fixtures/tiny-qwen2/math
merge_method: multislerp
base_model: fixtures/tiny-qwen2/base
parameters: {weight: 0.5, eps: 1e-6}
""",
    "nuslerp with and without flattening": """\
models:
  - model: fixtures/tiny-qwen2/instruct
    parameters: {weight: 0.4}
  - model: fixtures/tiny-qwen2/math
    parameters: {weight: [0.6, 0.2]}
merge_method: nuslerp
parameters:
  nuslerp_flatten:
    - filter: self_attn
      value: false
  nuslerp_row_wise: true
""",
    "nuslerp with a base": """\
models:
  - model: fixtures/tiny-qwen2/instruct
    parameters: {weight: 0.4}
  - model: fixtures/tiny-qwen2/math
    parameters: {weight: 0.6}
merge_method: nuslerp
base_model: fixtures/tiny-qwen2/base
""",
    "nearswap with a gradient": """\
models:
  - model: fixtures/tiny-qwen2/instruct
merge_method: nearswap
base_model: fixtures/tiny-qwen2/base
parameters:
  t: [0.0001, 0.001]
""",
    "arcee_fusion has no parameters": """\
models:
  - model: fixtures/tiny-qwen2/instruct
merge_method: arcee_fusion
base_model: fixtures/tiny-qwen2/base
""",
}
