import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { api } from "../api/client";
import type { ModelDetails, Tensor } from "../api/types";
import { bytes, count, date, dateTime, plural } from "../format";
import { CopyButton } from "../parts/copy";
import { Facts } from "../parts/facts";
import { Problem, Waiting } from "../parts/notice";
import { useLoad } from "../stores/load";

export function FilesTab({ model }: { model: ModelDetails }): JSX.Element {
  const files = useLoad(() => api.files(model.name), [model.name]);
  const list = files.value?.files;
  return (
    <>
      <section>
        <div class="section-head"><h2>Files</h2>{list && <span class="note">{plural(list.length, "file")}, {bytes(list.reduce((sum, file) => sum + file.bytes, 0))}</span>}</div>
        {files.loading && !list && <Waiting what="Reading the folder" />}
        {files.error && <Problem error={files.error} again={files.again} />}
        {list && (
          <div class="scroll" tabIndex={0} role="region" aria-label="Files">
            <table class="grid files">
              <thead><tr><th scope="col">Name</th><th scope="col">What</th><th scope="col" class="num">Size</th><th scope="col">Changed</th><th scope="col">BLAKE3</th></tr></thead>
              <tbody>
                {list.map((file) => (
                  <tr key={file.name}>
                    <th scope="row"><code>{file.name}</code></th><td>{file.kind}</td><td class="num figure" title={`${count(file.bytes)} bytes`}>{bytes(file.bytes)}</td>
                    <td class="when">{dateTime(file.modified)}</td>
                    <td>{file.blake3 ? <span class="hash"><code title={file.blake3}>{file.blake3.slice(0, 16)}…</code> <CopyButton text={file.blake3} what={`hash of ${file.name}`} /></span> : <span class="note">not hashed</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      {model.lock && <Provenance model={model} />}
      <Tensors name={model.name} />
    </>
  );
}

function Provenance({ model }: { model: ModelDetails }): JSX.Element {
  const lock = model.lock!;
  return (
    <section>
      <h2>Provenance</h2>
      <Facts kind="across" facts={[
        { term: "Made with", value: lock.weightsmith ? `Weightsmith ${lock.weightsmith}` : "–" },
        { term: "On", value: lock.date ? date(Date.parse(lock.date) / 1000) : "–" },
        { term: "Seed", value: <span class="figure">{lock.seed ?? "–"}</span> },
        { term: "NaN or infinite values", value: <span class="figure">{count(lock.non_finite)}</span> },
        lock.recipe ? { term: "Recipe", value: <code title={lock.recipe}>{lock.recipe.slice(0, 12)}…</code> } : null,
      ]} />
      {lock.inputs && lock.inputs.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Inputs"><table class="grid">
          <thead><tr><th scope="col">Input</th><th scope="col">Revision</th><th scope="col">Weight files and header hashes</th></tr></thead>
          <tbody>
            {lock.inputs.map((input) => (
              <tr key={input.label}><th scope="row">{input.label}{input.base && <span class="note"> base</span>}</th><td>{input.revision ? <code title={input.revision}>{input.revision.slice(0, 10)}</code> : <span class="note">a folder</span>}</td>
                <td>{input.files?.map((file) => <div key={file.name}><code>{file.name}</code> <code class="faint" title={file.header}>{file.header?.slice(0, 12)}…</code></div>)}</td></tr>
            ))}
          </tbody>
        </table></div>
      )}
    </section>
  );
}

const shownAtFirst = 60;

function Tensors({ name }: { name: string }): JSX.Element {
  const loaded = useLoad(() => api.tensors(name), [name]);
  const [filter, setFilter] = useState("");
  const [all, setAll] = useState(false);
  const tensors = loaded.value?.tensors ?? [];
  const found = useMemo(() => tensors.filter((tensor) => `${tensor.name} ${tensor.dtype}`.toLowerCase().includes(filter.toLowerCase())), [tensors, filter]);
  const rows = all ? found : found.slice(0, shownAtFirst);
  return (
    <section>
      <div class="section-head"><h2>Tensors</h2>
        {loaded.value && <span class="note">{filter ? `${count(found.length)} of ` : ""}{plural(tensors.length, "tensor")}{loaded.value.inspection.description ? ` · ${loaded.value.inspection.description}` : ""}</span>}
        <label class="search small"><span class="unseen">Search tensors</span><input type="search" placeholder="Filter by name" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} /></label>
      </div>
      {loaded.loading && !loaded.value && <Waiting what="Reading the headers" />}
      {loaded.error && <Problem error={loaded.error} again={loaded.again} />}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Tensors">
          <table class="grid tensors">
            <thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Shape</th><th scope="col" class="num">Elements</th><th scope="col" class="num">Size</th></tr></thead>
            <tbody>{rows.map((tensor) => <TensorRow key={tensor.name} tensor={tensor} />)}</tbody>
          </table>
        </div>
      )}
      {found.length > rows.length && <p><button type="button" onClick={() => setAll(true)}>Show all {count(found.length)}</button></p>}
    </section>
  );
}

function TensorRow({ tensor }: { tensor: Tensor }): JSX.Element {
  return <tr><th scope="row"><code>{tensor.name}</code></th><td class="figure">{tensor.dtype}</td><td class="figure">{tensor.shape.join(" × ")}</td><td class="num figure">{count(tensor.elements)}</td><td class="num figure">{bytes(tensor.bytes)}</td></tr>;
}
