//! Where the layers of the result come from.

use super::{LayerOrigin, OriginSource};
use weightsmith::plan::PlannedLayer;

/// Runs of layers that go on in step with all their sources.
pub(super) fn origins(layers: &[PlannedLayer]) -> Vec<LayerOrigin> {
    let mut origins: Vec<LayerOrigin> = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        if let Some(origin) = origins.last_mut()
            && goes_on(origin, layer)
        {
            origin.last = number;
            for source in &mut origin.sources {
                source.last += 1;
            }
            continue;
        }
        let sources = layer.sources.iter();
        let sources = sources
            .map(|&(model, layer)| OriginSource {
                model,
                first: layer,
                last: layer,
            })
            .collect();
        origins.push(LayerOrigin {
            first: number,
            last: number,
            sources,
        });
    }
    origins
}

fn goes_on(origin: &LayerOrigin, layer: &PlannedLayer) -> bool {
    origin.sources.len() == layer.sources.len()
        && origin
            .sources
            .iter()
            .zip(&layer.sources)
            .all(|(source, &(model, layer))| source.model == model && source.last + 1 == layer)
}

/// True when every layer of the result is made of the layers of the same number.
pub(super) fn in_place(origins: &[LayerOrigin]) -> bool {
    origins.iter().all(|origin| {
        origin
            .sources
            .iter()
            .all(|source| source.first == origin.first as u64)
    }) && origins
        .windows(2)
        .all(|pair| models(&pair[0]).eq(models(&pair[1])))
}

fn models(origin: &LayerOrigin) -> impl Iterator<Item = usize> + '_ {
    origin.sources.iter().map(|source| source.model)
}
