import type { JSX } from "preact";
import { api } from "../api/client";
import type { GalleryRecipe } from "../api/types";
import { Problem, Waiting } from "../parts/notice";
import { ticks } from "../parts/ticks";
import { useLoad } from "../stores/load";

/** Example recipes with a sketch of their curves. */
export function Gallery({ take }: { take: (recipe: GalleryRecipe) => void }): JSX.Element {
  const loaded = useLoad(() => api.gallery(), []);
  if (loaded.error) return <Problem error={loaded.error} again={loaded.again} />;
  if (!loaded.value) return <Waiting what="Loading examples" />;
  return (
    <ul class="gallery">
      {loaded.value.recipes.map((recipe) => (
        <li key={recipe.id}>
          <button type="button" onClick={() => take(recipe)}>
            <Sketch recipe={recipe.recipe} />
            <span><strong>{recipe.title}</strong><span class="note">{ticks(recipe.summary)}</span></span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The lists of numbers in a recipe, as small lines. */
function Sketch({ recipe }: { recipe: string }): JSX.Element {
  const text = recipe.replace(/^\s*#.*$/gm, "").replace(/layer_range:.*$/gm, "");
  const curves = [...text.matchAll(/:\s*\[([-\d., ]+)\]/g)].map((match) => match[1]!.split(",").map(Number)).filter((values) => values.length > 1);
  const constant = /(?:^|\s)(?:t|weight|value):\s*([\d.]+)\s*$/m.exec(text);
  if (!curves.length && constant) curves.push([Number(constant[1]), Number(constant[1])]);
  const y = (value: number) => 24 - Math.min(1, Math.max(0, value)) * 20;
  return (
    <svg class="sketch" viewBox="0 0 56 28" width="56" height="28" aria-hidden="true">
      <path d="M0 26.5h56" stroke="var(--line)" />
      {curves.slice(0, 3).map((values, index) => <polyline key={index} fill="none" style={{ stroke: `var(--ink-${index + 1})` }} stroke-width="1.5" points={values.map((value, at) => `${2 + (at / (values.length - 1)) * 52},${y(value)}`).join(" ")} />)}
      {!curves.length && [0, 1, 2, 3].map((at) => <rect key={at} x={3 + at * 13} y={at < 2 ? 4 : 14} width={11} height={9} style={{ fill: `var(--ink-${at < 2 ? 1 : 2})` }} />)}
    </svg>
  );
}
