// Model folders that the fixtures do not have: a card that attacks, a folder that is broken, models that take a while to merge.
import { cp, mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./studio.mjs";

const base = join(root, "fixtures", "tiny-qwen2", "base");

export async function scratch() {
  const folder = await mkdtemp(join(tmpdir(), "weightsmith-models-"));
  return { folder, clean: () => rm(folder, { recursive: true, force: true }) };
}

/** A model whose card tries to run scripts in every way that a card can. */
export async function attackingModel(folder) {
  await cp(base, join(folder, "attacker"), { recursive: true });
  await writeFile(join(folder, "attacker", "README.md"), [
    "# A harmless heading", "", "<script>window.ran = 'script'</script>", "<img src=\"/nothing\" onerror=\"window.ran = 'onerror'\">",
    "<svg onload=\"window.ran = 'svg'\"></svg>", "<iframe srcdoc=\"<script>parent.ran = 'frame'</script>\"></iframe>",
    "[a link](javascript:window.ran='link')", "<a href=\"javascript:window.ran='anchor'\">an anchor</a>", "<p style=\"position:fixed;inset:0\">cover</p>",
    "<form action=\"https://example.org\"><button>send</button></form>", "", "The text after it.", "",
  ].join("\n"));
}

/** A model whose weights end too early. */
export async function brokenModel(folder) {
  await cp(base, join(folder, "half-copied"), { recursive: true });
  await truncate(join(folder, "half-copied", "model.safetensors"), 100_000);
}

/** A model that can be merged but not talked with. */
export async function silentModel(folder) {
  await cp(base, join(folder, "silent"), { recursive: true });
  await rm(join(folder, "silent", "tokenizer.json"));
}

/** A model of zeros, large enough that its merge can be watched: its file is sparse and costs no disk. */
export async function largeModel(folder, name, { layers = 6, hidden = 2048, inner = 8192, heads = 16, keys = 4 } = {}) {
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  for (const file of ["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "generation_config.json"]) {
    await cp(join(base, file), join(own, file)).catch((cause) => { if (cause.code !== "ENOENT") throw cause; });
  }
  const config = JSON.parse(await readFile(join(base, "config.json"), "utf8"));
  Object.assign(config, { hidden_size: hidden, intermediate_size: inner, num_hidden_layers: layers, num_attention_heads: heads, num_key_value_heads: keys, max_window_layers: layers });
  if (config.layer_types) config.layer_types = Array(layers).fill(config.layer_types[0]);
  await writeFile(join(own, "config.json"), JSON.stringify(config, null, 2));
  const kv = (hidden / heads) * keys;
  const shapes = { "model.embed_tokens.weight": [config.vocab_size, hidden], "model.norm.weight": [hidden] };
  for (let layer = 0; layer < layers; layer += 1) {
    const tensors = {
      "input_layernorm.weight": [hidden], "post_attention_layernorm.weight": [hidden],
      "self_attn.q_proj.weight": [hidden, hidden], "self_attn.q_proj.bias": [hidden], "self_attn.k_proj.weight": [kv, hidden], "self_attn.k_proj.bias": [kv],
      "self_attn.v_proj.weight": [kv, hidden], "self_attn.v_proj.bias": [kv], "self_attn.o_proj.weight": [hidden, hidden],
      "mlp.gate_proj.weight": [inner, hidden], "mlp.up_proj.weight": [inner, hidden], "mlp.down_proj.weight": [hidden, inner],
    };
    for (const [kind, shape] of Object.entries(tensors)) shapes[`model.layers.${layer}.${kind}`] = shape;
  }
  const header = { __metadata__: { format: "pt" } };
  let at = 0;
  for (const [tensor, shape] of Object.entries(shapes)) {
    const size = 2 * shape.reduce((product, side) => product * side, 1);
    header[tensor] = { dtype: "BF16", shape, data_offsets: [at, at + size] };
    at += size;
  }
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (text.length % 8)) % 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = join(own, "model.safetensors"), file = await open(path, "w");
  await file.write(Buffer.concat([length, Buffer.from(text)]));
  await file.close();
  await truncate(path, 8 + text.length + at);
  return at;
}
