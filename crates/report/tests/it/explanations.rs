//! What users see, for plans whose right explanation is known.

use weightsmith::plan::Plan;
use weightsmith::testing::example_plans::{
    TensorPosition, gradient, in_place, linear, passthrough, plan, slerp, slerp_curve, stack, v,
};
use weightsmith_report::explain::{explain, render_text};

fn text(plan: &Plan) -> String {
    render_text(&explain(plan), 80, true)
}

fn words(plan: &Plan) -> String {
    explain(plan).words.join("\n")
}

#[test]
fn the_v_of_24_layers_is_seen_as_a_v() {
    insta::assert_snapshot!(text(&v()), @"
    Spherical linear interpolation (SLERP)
      Interpolates from the base model to the other model along the arc between
      their weights.

    Models
      A ░░  Qwen/Qwen2.5-0.5B@7ae5576           24 layers, 1.49 M parameters
      B ██  Qwen/Qwen2.5-0.5B-Instruct@7ae5576  24 layers, 1.49 M parameters, base_model

    Parameters
      t · all tensors
          1 ┤
            │
            │
            │
        0.5 ┤                  ▁▁▄▄▇▇▇▇▄▄▁▁
            │            ▁▁▃▃▆▆████████████▆▆▃▃▁▁
            │      ▁▁▃▃▆▆████████████████████████▆▆▃▃▁▁
            │  ▃▃▆▆████████████████████████████████████▆▆▃▃
          0 └────────────────────────────────────────────────
             0       4       8       12      16      20    23 (layer)
        outside the layers: embeddings and final norm 0

    Share of each model
      A ░░ Qwen2.5-0.5B   B ██ Qwen2.5-0.5B-Instruct
      all tensors
      100 % ┤██▅▅▁▁░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░▁▁▅▅██
            │██████▆▆▂▂░░░░░░░░░░░░░░░░░░░░░░░░░░░░▂▂▆▆██████
            │██████████▇▇▃▃░░░░░░░░░░░░░░░░░░░░▃▃▇▇██████████
            │████████████████▄▄▁▁░░░░░░░░▁▁▄▄████████████████
            │████████████████████▅▅▂▂▂▂▅▅████████████████████
       50 % ┤████████████████████████████████████████████████
            │████████████████████████████████████████████████
            │████████████████████████████████████████████████
            │████████████████████████████████████████████████
            │████████████████████████████████████████████████
        0 % └────────────────────────────────────────────────
             0       4       8       12      16      20    23 (layer)
      embeddings and final norm
              ██████████████████████████████  B 100 %

    Layer by layer
        layer      t     A      B      layer      t     A      B
      ───────────────────────────    ───────────────────────────
            0      0   0 %  100 %         13  0.435  43 %   57 %
            1  0.043   4 %   96 %         14  0.391  39 %   61 %
            2  0.087   9 %   91 %         15  0.348  35 %   65 %
            3   0.13  13 %   87 %         16  0.304  30 %   70 %
            4  0.174  17 %   83 %         17  0.261  26 %   74 %
            5  0.217  22 %   78 %         18  0.217  22 %   78 %
            6  0.261  26 %   74 %         19  0.174  17 %   83 %
            7  0.304  30 %   70 %         20   0.13  13 %   87 %
            8  0.348  35 %   65 %         21  0.087   9 %   91 %
            9  0.391  39 %   61 %         22  0.043   4 %   96 %
           10  0.435  43 %   57 %         23      0   0 %  100 %
        11–12  0.478  48 %   52 %

    Summary
      `Qwen2.5-0.5B-Instruct` dominates layers 0–3 and 20–23 and leads in layers 4–8
      and 15–19; in the middle (layers 9–14) both contribute about equally.
      Embeddings and final norm come from `Qwen2.5-0.5B-Instruct` alone.
    ");
}

#[test]
fn the_v_can_be_drawn_with_ascii_alone() {
    let drawn = render_text(&explain(&v()), 80, false);
    assert!(drawn.is_ascii(), "{drawn}");
    insta::assert_snapshot!(drawn, @"
    Spherical linear interpolation (SLERP)
      Interpolates from the base model to the other model along the arc between
      their weights.

    Models
      A ..  Qwen/Qwen2.5-0.5B@7ae5576           24 layers, 1.49 M parameters
      B ##  Qwen/Qwen2.5-0.5B-Instruct@7ae5576  24 layers, 1.49 M parameters, base_model

    Parameters
      t - all tensors
          1 +
            |
            |
            |
        0.5 +                  ....::::....
            |            ....::############::....
            |      ....::########################::....
            |  ..::####################################::..
          0 +------------------------------------------------
             0       4       8       12      16      20    23 (layer)
        outside the layers: embeddings and final norm 0

    Share of each model
      A .. Qwen2.5-0.5B   B ## Qwen2.5-0.5B-Instruct
      all tensors
      100 % +##::........................................::##
            |######::................................::######
            |##########::........................::##########
            |################::............::################
            |####################::....::####################
       50 % +################################################
            |################################################
            |################################################
            |################################################
            |################################################
        0 % +------------------------------------------------
             0       4       8       12      16      20    23 (layer)
      embeddings and final norm
              ##############################  B 100 %

    Layer by layer
        layer      t     A      B      layer      t     A      B
      ---------------------------    ---------------------------
            0      0   0 %  100 %         13  0.435  43 %   57 %
            1  0.043   4 %   96 %         14  0.391  39 %   61 %
            2  0.087   9 %   91 %         15  0.348  35 %   65 %
            3   0.13  13 %   87 %         16  0.304  30 %   70 %
            4  0.174  17 %   83 %         17  0.261  26 %   74 %
            5  0.217  22 %   78 %         18  0.217  22 %   78 %
            6  0.261  26 %   74 %         19  0.174  17 %   83 %
            7  0.304  30 %   70 %         20   0.13  13 %   87 %
            8  0.348  35 %   65 %         21  0.087   9 %   91 %
            9  0.391  39 %   61 %         22  0.043   4 %   96 %
           10  0.435  43 %   57 %         23      0   0 %  100 %
        11-12  0.478  48 %   52 %

    Summary
      `Qwen2.5-0.5B-Instruct` dominates layers 0-3 and 20-23 and leads in layers 4-8
      and 15-19; in the middle (layers 9-14) both contribute about equally.
      Embeddings and final norm come from `Qwen2.5-0.5B-Instruct` alone.
    ");
}

#[test]
fn a_full_v_gives_the_middle_to_the_other_model() {
    insta::assert_snapshot!(words(&slerp_curve(24, &[0.0, 0.5, 1.0, 0.5, 0.0])), @"
    `Qwen2.5-0.5B-Instruct` dominates layers 0–1 and 22–23 and leads in layers 2–4 and 19–21; `Qwen2.5-0.5B` dominates layers 10–13 and leads in layers 8–9 and 14–15; in layers 5–7 and 16–18 both contribute about equally.
    Embeddings and final norm come from `Qwen2.5-0.5B-Instruct` alone.
    ");
}

#[test]
fn six_layers_of_the_v() {
    insta::assert_snapshot!(words(&slerp_curve(6, &[0.0, 0.25, 0.5, 0.25, 0.0])), @"
    Layers 0 and 5 come from `Qwen2.5-0.5B-Instruct` alone; layers 1 and 4 are 80 % `Qwen2.5-0.5B-Instruct` and 20 % `Qwen2.5-0.5B`; layers 2–3 are 60 % `Qwen2.5-0.5B-Instruct` and 40 % `Qwen2.5-0.5B`.
    Embeddings and final norm come from `Qwen2.5-0.5B-Instruct` alone.
    ");
}

#[test]
fn constant_weights_are_told_in_a_line() {
    let averaged = plan(
        "linear",
        &["tiny-instruct", "tiny-math"],
        None,
        in_place(2, 6),
        &|place| linear(place, &[0.5, 0.5], true),
    );
    insta::assert_snapshot!(text(&averaged), @"
    Linear (weighted average)
      The weighted average of the models' tensors.

    Models
      A ██  tiny-instruct  6 layers, 422 k parameters
      B ░░  tiny-math      6 layers, 422 k parameters

    Parameters
      normalize = true
      weight of tiny-instruct = 0.5
      weight of tiny-math = 0.5

    Share of each model
      A ██ tiny-instruct   B ░░ tiny-math
      every layer
              ███████████████░░░░░░░░░░░░░░░  A 50 %, B 50 %
      embeddings and final norm
              ███████████████░░░░░░░░░░░░░░░  A 50 %, B 50 %

    Summary
      Every layer is `tiny-instruct` and `tiny-math` in equal parts.
      Embeddings and final norm are `tiny-instruct` and `tiny-math` in equal parts.
    ");
}

#[test]
fn filters_are_told_apart_by_the_tensors_they_match() {
    let t = |place: &TensorPosition<'_>| match place.kind {
        kind if kind.contains("self_attn") => gradient(&[0.0, 0.5, 0.3, 0.7, 1.0], place.position),
        kind if kind.contains("mlp") => gradient(&[1.0, 0.5, 0.7, 0.3, 0.0], place.position),
        _ => 0.5,
    };
    let labels = [
        "OpenPipe/mistral-ft-optimized-1218",
        "mlabonne/NeuralHermes-2.5-Mistral-7B",
    ];
    let filtered = plan("slerp", &labels, Some(0), in_place(2, 32), &|place| {
        slerp(place, 0, t(place))
    });
    insta::assert_snapshot!(text(&filtered), @"
    Spherical linear interpolation (SLERP)
      Interpolates from the base model to the other model along the arc between
      their weights.

    Models
      A ██  OpenPipe/mistral-ft-optimized-1218@7ae5576    32 layers, 1.97 M parameters, base_model
      B ░░  mlabonne/NeuralHermes-2.5-Mistral-7B@7ae5576  32 layers, 1.97 M parameters

    Parameters
      t · input_layernorm.weight, post_attention_layernorm.weight = 0.5
      t · mlp.*
          1 ┤█▄
            │███▄
            │████▇▃       ▁▂▄▃
            │██████▇▃▁▂▄▅▇█████▅▁
        0.5 ┤████████████████████▆▃
            │██████████████████████▇▄▁
            │█████████████████████████▇▄▂
            │████████████████████████████▇▅▂
          0 └────────────────────────────────
             0    5    10   15   20   25    31 (layer)
      t · self_attn.*
          1 ┤                            ▁▃▆█
            │                         ▁▄▆████
            │                      ▁▄▇███████
            │                    ▂▅██████████
        0.5 ┤      ▁▅█▆▄▃▁    ▁▃▇████████████
            │    ▁▅███████▇▆▄▅███████████████
            │  ▁▄████████████████████████████
            │ ▄██████████████████████████████
          0 └────────────────────────────────
             0    5    10   15   20   25    31 (layer)
        outside the layers: embeddings and final norm 0.5

    Share of each model
      A ██ mistral-ft-optimized-1218   B ░░ NeuralHermes-2.5-Mistral-7B
      input_layernorm.weight, post_attention_layernorm.weight, every layer
              ███████████████░░░░░░░░░░░░░░░  A 50 %, B 50 %
      mlp.*
      100 % ┤░░░░░░░░░░░░░░░░░░░░░░░░░░░░░▂▅█
            │░░░░░░░░░░░░░░░░░░░░░░░░░░▁▄▇███
            │░░░░░░░░░░░░░░░░░░░░░░░░▂▅██████
            │░░░░░░░░░░░░░░░░░░░░░░▃▇████████
            │░░░░░░░░░░░░░░░░░░░░▃▇██████████
       50 % ┤░░░░░░░▄▇▅▃▁░░░░░░▂▆████████████
            │░░░░░▂▇█████▇▅▃▁▂▆██████████████
            │░░░░▅███████████████████████████
            │░░▂▇████████████████████████████
            │░▅██████████████████████████████
        0 % └────────────────────────────────
             0    5    10   15   20   25    31 (layer)
      self_attn.*
      100 % ┤█▃░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            │██▆▁░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            │████▃░░░░░░░░░░░░░░░░░░░░░░░░░░░
            │█████▆▁░░░░░▁▃▅▇▆▂░░░░░░░░░░░░░░
            │███████▄▁▃▅▇██████▆▂░░░░░░░░░░░░
       50 % ┤████████████████████▅▁░░░░░░░░░░
            │██████████████████████▅▁░░░░░░░░
            │████████████████████████▆▃░░░░░░
            │██████████████████████████▇▄▁░░░
            │█████████████████████████████▆▃░
        0 % └────────────────────────────────
             0    5    10   15   20   25    31 (layer)
      embeddings and final norm
              ███████████████░░░░░░░░░░░░░░░  A 50 %, B 50 %

    Layer by layer
        layer  t mlp.*  t self_attn.*  A mlp.*  B mlp.*  A self_attn.*  B self_attn.*
      ───────────────────────────────────────────────────────────────────────────────
            0        1              0      0 %    100 %          100 %            0 %
            1    0.935          0.065      6 %     94 %           94 %            6 %
            2    0.871          0.129     13 %     87 %           87 %           13 %
            3    0.806          0.194     19 %     81 %           81 %           19 %
            4    0.742          0.258     26 %     74 %           74 %           26 %
            5    0.677          0.323     32 %     68 %           68 %           32 %
            6    0.613          0.387     39 %     61 %           61 %           39 %
            7    0.548          0.452     45 %     55 %           55 %           45 %
            8    0.506          0.494     49 %     51 %           51 %           49 %
            9    0.532          0.468     47 %     53 %           53 %           47 %
           10    0.558          0.442     44 %     56 %           56 %           44 %
           11    0.584          0.416     42 %     58 %           58 %           42 %
           12     0.61           0.39     39 %     61 %           61 %           39 %
           13    0.635          0.365     36 %     64 %           64 %           36 %
           14    0.661          0.339     34 %     66 %           66 %           34 %
           15    0.687          0.313     31 %     69 %           69 %           31 %
           16    0.674          0.326     33 %     67 %           67 %           33 %
           17    0.623          0.377     38 %     62 %           62 %           38 %
           18    0.571          0.429     43 %     57 %           57 %           43 %
           19    0.519          0.481     48 %     52 %           52 %           48 %
           20    0.468          0.532     53 %     47 %           47 %           53 %
           21    0.416          0.584     58 %     42 %           42 %           58 %
           22    0.365          0.635     64 %     36 %           36 %           64 %
           23    0.313          0.687     69 %     31 %           31 %           69 %
           24    0.271          0.729     73 %     27 %           27 %           73 %
           25    0.232          0.768     77 %     23 %           23 %           77 %
           26    0.194          0.806     81 %     19 %           19 %           81 %
           27    0.155          0.845     85 %     15 %           15 %           85 %
           28    0.116          0.884     88 %     12 %           12 %           88 %
           29    0.077          0.923     92 %      8 %            8 %           92 %
           30    0.039          0.961     96 %      4 %            4 %           96 %
           31        0              1    100 %      0 %            0 %          100 %

    Summary
      In `input_layernorm.weight` and `post_attention_layernorm.weight`, every layer
      is `mistral-ft-optimized-1218` and `NeuralHermes-2.5-Mistral-7B` in equal
      parts.
      In `mlp.*`, `NeuralHermes-2.5-Mistral-7B` dominates layers 0–2 and leads in
      layers 3–5 and 13–16; `mistral-ft-optimized-1218` dominates layers 28–31 and
      leads in layers 22–27; in layers 6–12 and 17–21 both contribute about equally.
      In `self_attn.*`, `mistral-ft-optimized-1218` dominates layers 0–2 and leads
      in layers 3–5 and 13–16; `NeuralHermes-2.5-Mistral-7B` dominates layers 28–31
      and leads in layers 22–27; in layers 6–12 and 17–21 both contribute about
      equally.
      Embeddings and final norm are `mistral-ft-optimized-1218` and
      `NeuralHermes-2.5-Mistral-7B` in equal parts.
    ");
}

#[test]
fn a_stack_shows_where_its_layers_come_from() {
    insta::assert_snapshot!(text(&stack()), @"
    Passthrough
      Copies one model's tensors; with `slices`, stacks layers of several models.

    Models
      A ██  tiny-base  16 layers, 1.02 M parameters
      B ░░  tiny-math  16 layers, 1.02 M parameters

    Where the layers come from
      layers  0–7  ← tiny-base 0–7
      layers 8–15  ← tiny-math 4–11

    Share of each model
      A ██ tiny-base   B ░░ tiny-math
      all tensors
      100 % ┤██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
            │██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
            │██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
            │██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
            │██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
       50 % ┤██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
            │██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
            │██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
            │██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
            │██ ██ ██ ██ ██ ██ ██ ██ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
        0 % └────────────────────────────────────────────────
             0     2     4     6     8     10    12       15 (layer)
      embeddings and final norm
              ██████████████████████████████  A 100 %

    Summary
      Layers 0–7 are layers 0–7 of `tiny-base`; layers 8–15 are layers 4–11 of
      `tiny-math`.
      Embeddings and final norm come from `tiny-base` alone.
    ");
}

#[test]
fn three_models_with_curves_of_their_own() {
    let weights = |place: &TensorPosition<'_>| {
        [
            gradient(&[1.0, 0.2, 0.0], place.position),
            gradient(&[0.0, 0.6, 0.0], place.position),
            gradient(&[0.0, 0.2, 1.0], place.position),
        ]
    };
    let three = plan(
        "linear",
        &["a", "b", "c"],
        None,
        in_place(3, 12),
        &|place| linear(place, &weights(place), true),
    );
    insta::assert_snapshot!(text(&three), @"
    Linear (weighted average)
      The weighted average of the models' tensors.

    Models
      A ██  a  12 layers, 779 k parameters
      B ░░  b  12 layers, 779 k parameters
      C ▒▒  c  12 layers, 779 k parameters

    Parameters
      weight of a · all tensors
          1 ┤████
            │████ ▇▇▇▇
            │████ ████ ▅▅▅▅
            │████ ████ ████ ▄▄▄▄
        0.5 ┤████ ████ ████ ████ ▃▃▃▃
            │████ ████ ████ ████ ████ ▁▁▁▁
            │████ ████ ████ ████ ████ ████ ▄▄▄▄ ▁▁▁▁
            │████ ████ ████ ████ ████ ████ ████ ████ ▇▇▇▇ ▅▅▅▅ ▂▂▂▂
          0 └────────────────────────────────────────────────────────────
             0    1    2    3    4    5    6    7    8    9    10   11 (layer)
        outside the layers: embeddings and final norm 1
      weight of b · all tensors
          1 ┤
            │
            │
            │                         ▃▃▃▃ ▃▃▃▃
        0.5 ┤                    ▄▄▄▄ ████ ████ ▄▄▄▄
            │               ▅▅▅▅ ████ ████ ████ ████ ▅▅▅▅
            │          ▆▆▆▆ ████ ████ ████ ████ ████ ████ ▆▆▆▆
            │     ▇▇▇▇ ████ ████ ████ ████ ████ ████ ████ ████ ▇▇▇▇
          0 └────────────────────────────────────────────────────────────
             0    1    2    3    4    5    6    7    8    9    10   11 (layer)
        outside the layers: embeddings and final norm 0
      weight of c · all tensors
          1 ┤                                                       ████
            │                                                  ▇▇▇▇ ████
            │                                             ▅▅▅▅ ████ ████
            │                                        ▄▄▄▄ ████ ████ ████
        0.5 ┤                                   ▃▃▃▃ ████ ████ ████ ████
            │                              ▁▁▁▁ ████ ████ ████ ████ ████
            │                    ▁▁▁▁ ▄▄▄▄ ████ ████ ████ ████ ████ ████
            │     ▂▂▂▂ ▅▅▅▅ ▇▇▇▇ ████ ████ ████ ████ ████ ████ ████ ████
          0 └────────────────────────────────────────────────────────────
             0    1    2    3    4    5    6    7    8    9    10   11 (layer)
        outside the layers: embeddings and final norm 0
      normalize = true

    Share of each model
      A ██ a   B ░░ b   C ▒▒ c
      all tensors
      100 % ┤████ ░░░░ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒
            │████ ▄▄▄▄ ░░░░ ░░░░ ░░░░ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒
            │████ ████ ▁▁▁▁ ░░░░ ░░░░ ░░░░ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒
            │████ ████ ████ ░░░░ ░░░░ ░░░░ ░░░░ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒
            │████ ████ ████ ▅▅▅▅ ░░░░ ░░░░ ░░░░ ░░░░ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒
       50 % ┤████ ████ ████ ████ ▁▁▁▁ ░░░░ ░░░░ ░░░░ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒
            │████ ████ ████ ████ ████ ░░░░ ░░░░ ░░░░ ░░░░ ▒▒▒▒ ▒▒▒▒ ▒▒▒▒
            │████ ████ ████ ████ ████ ▆▆▆▆ ░░░░ ░░░░ ░░░░ ░░░░ ▒▒▒▒ ▒▒▒▒
            │████ ████ ████ ████ ████ ████ ▇▇▇▇ ▄▄▄▄ ▁▁▁▁ ░░░░ ▒▒▒▒ ▒▒▒▒
            │████ ████ ████ ████ ████ ████ ████ ████ ████ ▆▆▆▆ ▃▃▃▃ ▒▒▒▒
        0 % └────────────────────────────────────────────────────────────
             0    1    2    3    4    5    6    7    8    9    10   11 (layer)
      embeddings and final norm
              ██████████████████████████████  A 100 %

    Layer by layer
        layer  weight A  weight B  weight C      A     B      C
      ─────────────────────────────────────────────────────────
            0         1         0         0  100 %   0 %    0 %
            1     0.855     0.109     0.036   85 %  11 %    4 %
            2     0.709     0.218     0.073   71 %  22 %    7 %
            3     0.564     0.327     0.109   56 %  33 %   11 %
            4     0.418     0.436     0.145   42 %  44 %   15 %
            5     0.273     0.545     0.182   27 %  55 %   18 %
            6     0.182     0.545     0.273   18 %  55 %   27 %
            7     0.145     0.436     0.418   15 %  44 %   42 %
            8     0.109     0.327     0.564   11 %  33 %   56 %
            9     0.073     0.218     0.709    7 %  22 %   71 %
           10     0.036     0.109     0.855    4 %  11 %   85 %
           11         0         0         1    0 %   0 %  100 %

    Summary
      `a` dominates layers 0–1 and leads in layers 2–3; `b` leads in layers 5–6; `c`
      dominates layers 10–11 and leads in layers 8–9; in layer 4 `a` and `b` lead
      together; in layer 7 `b` and `c` lead together.
      Embeddings and final norm come from `a` alone.
    ");
}

#[test]
fn weights_that_do_not_sum_to_one_are_called_coefficients() {
    let sum = plan("linear", &["a", "b"], None, in_place(2, 4), &|place| {
        linear(place, &[1.0, -0.5], false)
    });
    insta::assert_snapshot!(words(&sum), @"
    Every layer is 1 × `a` − 0.5 × `b`.
    Embeddings and final norm are 1 × `a` − 0.5 × `b`.
    ");
}

#[test]
fn many_layers_are_drawn_in_fewer_columns() {
    let wide = slerp_curve(126, &[0.0, 1.0, 0.0]);
    insta::assert_snapshot!(render_text(&explain(&wide), 60, true), @"
    Spherical linear interpolation (SLERP)
      Interpolates from the base model to the other model along
      the arc between their weights.

    Models
      A ░░  Qwen/Qwen2.5-0.5B@7ae5576           126 layers, 7.58 M parameters
      B ██  Qwen/Qwen2.5-0.5B-Instruct@7ae5576  126 layers, 7.58 M parameters, base_model

    Parameters
      t · all tensors
          1 ┤                   ▁▄▇▅▂
            │                ▁▃▆█████▇▄▁
            │              ▂▅███████████▆▄▁
            │           ▂▅█████████████████▆▃
        0.5 ┤        ▁▄▇██████████████████████▅▂
            │      ▂▆███████████████████████████▇▃▁
            │   ▁▄▇████████████████████████████████▅▂
            │▁▃▆█████████████████████████████████████▇▄▁
          0 └───────────────────────────────────────────
             0    14   29   43   58   73   87   102    125 (layer)
             each column is the mean of 2 to 3 layers
        outside the layers: embeddings and final norm 0

    Share of each model
      A ░░ Qwen2.5-0.5B   B ██ Qwen2.5-0.5B-Instruct
      all tensors
      100 % ┤▇▄░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░▃▇
            │███▄▁░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░▃▇██
            │█████▅▁░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░▄▇████
            │███████▅▁░░░░░░░░░░░░░░░░░░░░░░░░░░▄███████
            │█████████▅▂░░░░░░░░░░░░░░░░░░░░░░▄█████████
       50 % ┤███████████▆▂░░░░░░░░░░░░░░░░░▁▄███████████
            │█████████████▆▃░░░░░░░░░░░░░▂▅█████████████
            │████████████████▄░░░░░░░░░▃▆███████████████
            │██████████████████▄░░░░░▃▇█████████████████
            │████████████████████▄▁▃▇███████████████████
        0 % └───────────────────────────────────────────
             0    14   29   43   58   73   87   102    125 (layer)
             each column is the mean of 2 to 3 layers
      embeddings and final norm
              ██████████████████████████████  B 100 %

    Layer by layer
        layer      t     A      B      layer      t     A      B
      ───────────────────────────    ───────────────────────────
            0      0   0 %  100 %         64  0.976  98 %    2 %
            1  0.016   2 %   98 %         65   0.96  96 %    4 %
            2  0.032   3 %   97 %         66  0.944  94 %    6 %
            3  0.048   5 %   95 %         67  0.928  93 %    7 %
            4  0.064   6 %   94 %         68  0.912  91 %    9 %
            5   0.08   8 %   92 %         69  0.896  90 %   10 %
            6  0.096  10 %   90 %         70   0.88  88 %   12 %
            7  0.112  11 %   89 %         71  0.864  86 %   14 %
            8  0.128  13 %   87 %         72  0.848  85 %   15 %
            9  0.144  14 %   86 %         73  0.832  83 %   17 %
           10   0.16  16 %   84 %         74  0.816  82 %   18 %
           11  0.176  18 %   82 %         75    0.8  80 %   20 %
           12  0.192  19 %   81 %         76  0.784  78 %   22 %
           13  0.208  21 %   79 %         77  0.768  77 %   23 %
           14  0.224  22 %   78 %         78  0.752  75 %   25 %
           15   0.24  24 %   76 %         79  0.736  74 %   26 %
           16  0.256  26 %   74 %         80   0.72  72 %   28 %
           17  0.272  27 %   73 %         81  0.704  70 %   30 %
           18  0.288  29 %   71 %         82  0.688  69 %   31 %
           19  0.304  30 %   70 %         83  0.672  67 %   33 %
           20   0.32  32 %   68 %         84  0.656  66 %   34 %
           21  0.336  34 %   66 %         85   0.64  64 %   36 %
           22  0.352  35 %   65 %         86  0.624  62 %   38 %
           23  0.368  37 %   63 %         87  0.608  61 %   39 %
           24  0.384  38 %   62 %         88  0.592  59 %   41 %
           25    0.4  40 %   60 %         89  0.576  58 %   42 %
           26  0.416  42 %   58 %         90   0.56  56 %   44 %
           27  0.432  43 %   57 %         91  0.544  54 %   46 %
           28  0.448  45 %   55 %         92  0.528  53 %   47 %
           29  0.464  46 %   54 %         93  0.512  51 %   49 %
           30   0.48  48 %   52 %         94  0.496  50 %   50 %
           31  0.496  50 %   50 %         95   0.48  48 %   52 %
           32  0.512  51 %   49 %         96  0.464  46 %   54 %
           33  0.528  53 %   47 %         97  0.448  45 %   55 %
           34  0.544  54 %   46 %         98  0.432  43 %   57 %
           35   0.56  56 %   44 %         99  0.416  42 %   58 %
           36  0.576  58 %   42 %        100    0.4  40 %   60 %
           37  0.592  59 %   41 %        101  0.384  38 %   62 %
           38  0.608  61 %   39 %        102  0.368  37 %   63 %
           39  0.624  62 %   38 %        103  0.352  35 %   65 %
           40   0.64  64 %   36 %        104  0.336  34 %   66 %
           41  0.656  66 %   34 %        105   0.32  32 %   68 %
           42  0.672  67 %   33 %        106  0.304  30 %   70 %
           43  0.688  69 %   31 %        107  0.288  29 %   71 %
           44  0.704  70 %   30 %        108  0.272  27 %   73 %
           45   0.72  72 %   28 %        109  0.256  26 %   74 %
           46  0.736  74 %   26 %        110   0.24  24 %   76 %
           47  0.752  75 %   25 %        111  0.224  22 %   78 %
           48  0.768  77 %   23 %        112  0.208  21 %   79 %
           49  0.784  78 %   22 %        113  0.192  19 %   81 %
           50    0.8  80 %   20 %        114  0.176  18 %   82 %
           51  0.816  82 %   18 %        115   0.16  16 %   84 %
           52  0.832  83 %   17 %        116  0.144  14 %   86 %
           53  0.848  85 %   15 %        117  0.128  13 %   87 %
           54  0.864  86 %   14 %        118  0.112  11 %   89 %
           55   0.88  88 %   12 %        119  0.096  10 %   90 %
           56  0.896  90 %   10 %        120   0.08   8 %   92 %
           57  0.912  91 %    9 %        121  0.064   6 %   94 %
           58  0.928  93 %    7 %        122  0.048   5 %   95 %
           59  0.944  94 %    6 %        123  0.032   3 %   97 %
           60   0.96  96 %    4 %        124  0.016   2 %   98 %
           61  0.976  98 %    2 %        125      0   0 %  100 %
        62–63  0.992  99 %    1 %

    Summary
      `Qwen2.5-0.5B-Instruct` dominates layers 0–9 and 116–125
      and leads in layers 10–23 and 102–115; `Qwen2.5-0.5B`
      dominates layers 54–71 and leads in layers 40–53 and
      72–85; in layers 24–39 and 86–101 both contribute about
      equally.
      Embeddings and final norm come from
      `Qwen2.5-0.5B-Instruct` alone.
    ");
}

#[test]
fn a_filtered_scale_is_said_to_be_set_where_it_is_set() {
    let scaled = plan(
        "passthrough",
        &["tiny-base"],
        None,
        in_place(1, 4),
        &|place| {
            passthrough(
                place,
                (place.kind.contains("o_proj") && place.position > 0.5).then_some(0.0),
            )
        },
    );
    insta::assert_snapshot!(text(&scaled), @"
    Passthrough
      Copies one model's tensors; with `slices`, stacks layers of several models.

    Models
      A ██  tiny-base  4 layers, 303 k parameters

    Parameters
      scale of tiny-base = 0 in self_attn.o_proj.weight of layers 2–3

    Layer by layer
        layer  scale A self_attn.o_p…
      ───────────────────────────────
          0–1                       -
          2–3                       0

    Summary
      Every layer comes from `tiny-base` alone.
      Embeddings and final norm come from `tiny-base` alone.
    ");
}

#[test]
fn the_json_has_the_curve_of_the_v() {
    let json =
        serde_json::to_value(explain(&slerp_curve(5, &[0.0, 0.25, 0.5, 0.25, 0.0]))).unwrap();
    assert_eq!(json["parameters"][0]["name"], "t");
    assert_eq!(
        json["parameters"][0]["groups"][0]["values"],
        serde_json::json!([0.0, 0.25, 0.5, 0.25, 0.0])
    );
    assert_eq!(json["shares"]["layers"][2], serde_json::json!([0.5, 0.5]));
}
