//! A pass: up to a few hundred tokens through the layers.

use super::weights::Layer;
use super::{Decoder, Place, SequenceStep};
use crate::Error;
use crate::activation::{add, gate, rms_norm};
use crate::attention::{AttentionShape, Queries, attend};
use crate::parallel::for_chunks;
use crate::rope::RotationTable;

/// Rows that a thread takes at once, for work that is done row by row.
const ROWS: usize = 16;

/// Tokens of a sequence that are in a pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Index of the sequence in the step.
    pub(super) sequence: usize,
    /// The first token's index among the sequence's new ones.
    pub(super) first: usize,
    /// How many.
    pub(super) count: usize,
    /// The first token's row in the pass.
    pub(super) row: usize,
    /// The first token's position.
    pub(super) start: usize,
    /// Length of the sequence when the step ends.
    pub(super) length: usize,
}

/// Activations of a pass.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    decoder: &'a Decoder,
    spans: &'a [Span],
    /// Rotations of each row, for each of the model's rotary embeddings.
    rotations: Vec<RotationTable>,
    /// What runs through the layers, row by row.
    pub(super) hidden: Vec<f32>,
    normed: Vec<f32>,
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    attended: Vec<f32>,
    gates: Vec<f32>,
    ups: Vec<f32>,
    fused: Vec<f32>,
}

impl<'a> Pass<'a> {
    /// Embeds the tokens.
    pub(super) fn new(
        decoder: &'a Decoder,
        steps: &[SequenceStep<'_>],
        spans: &'a [Span],
    ) -> Result<Self, Error> {
        let config = decoder.config();
        let count: usize = spans.iter().map(|span| span.count).sum();
        let mut hidden = vec![0.0; count * config.hidden];
        let tokens = spans
            .iter()
            .flat_map(|span| &steps[span.sequence].tokens[span.first..][..span.count]);
        for (&token, row) in tokens.zip(hidden.chunks_exact_mut(config.hidden)) {
            decoder.weights.embedding.row(token as usize, row);
            if config.embedding_scale != 1.0 {
                for value in row {
                    *value *= config.embedding_scale;
                }
            }
        }
        let pass = Self {
            decoder,
            spans,
            rotations: rotations(decoder, spans),
            normed: vec![0.0; hidden.len()],
            hidden,
            queries: vec![0.0; count * config.query_width()],
            keys: vec![0.0; count * config.kv_width()],
            values: vec![0.0; count * config.kv_width()],
            attended: vec![0.0; count * config.query_width()],
            gates: vec![0.0; count * config.intermediate],
            ups: vec![0.0; count * config.intermediate],
            fused: Vec::new(),
        };
        pass.ensure_finite(Place::Embedding)?;
        Ok(pass)
    }

    /// Runs a layer; its keys and values are stored in the sequences' caches.
    pub(super) fn layer(
        &mut self,
        index: usize,
        steps: &mut [SequenceStep<'_>],
    ) -> Result<(), Error> {
        let decoder = self.decoder;
        let layer = &decoder.weights.layers[index];
        self.norm(&layer.attention_norm);
        self.project(layer, index);
        let width = decoder.config().kv_width();
        for span in self.spans {
            let rows = span.row * width..(span.row + span.count) * width;
            let cache = &mut *steps[span.sequence].cache;
            cache.store(index, &self.keys[rows.clone()], &self.values[rows]);
        }
        self.attention(index, steps);
        let (attended, normed) = (&self.attended, &mut self.normed);
        layer.output.forward(&decoder.pool, attended, normed);
        self.add_normed(layer.post_attention_norm.as_deref());
        self.ensure_finite(Place::Attention(index))?;

        self.norm(&layer.mlp_norm);
        self.feed_forward(layer);
        self.add_normed(layer.post_mlp_norm.as_deref());
        self.ensure_finite(Place::FeedForward(index))
    }

    /// `normed` gets the norm of `hidden`.
    fn norm(&mut self, weight: &[f32]) {
        let width = weight.len();
        let epsilon = self.decoder.config().norm_epsilon;
        let hidden = &self.hidden;
        for_chunks(
            &self.decoder.pool,
            &mut self.normed,
            ROWS * width,
            |part, rows| {
                rows.copy_from_slice(&hidden[part * ROWS * width..][..rows.len()]);
                rms_norm(rows, weight, epsilon);
            },
        );
    }

    /// Queries, keys and values of `normed`: normed where the family does that, turned, queries scaled.
    fn project(&mut self, layer: &Layer, index: usize) {
        let decoder = self.decoder;
        let config = decoder.config();
        layer.qkv.forward(
            &decoder.pool,
            &self.normed,
            &mut self.fused,
            [&mut self.queries, &mut self.keys, &mut self.values],
        );
        let rotation = &self.rotations[config.layers[index].rope];
        let (dim, epsilon) = (config.head_dim, config.norm_epsilon);
        let turn = |heads: &mut [f32], width: usize, norm: Option<&[f32]>, scale: f32| {
            for_chunks(&decoder.pool, heads, ROWS * width, |part, rows| {
                for (row, heads) in rows.chunks_exact_mut(width).enumerate() {
                    if let Some(weight) = norm {
                        rms_norm(heads, weight, epsilon);
                    }
                    for head in heads.chunks_exact_mut(dim) {
                        rotation.turn(part * ROWS + row, head);
                        if scale != 1.0 {
                            for value in head {
                                *value *= scale;
                            }
                        }
                    }
                }
            });
        };
        let (query, kv) = (config.query_width(), config.kv_width());
        let scale = config.attention_scale;
        turn(&mut self.queries, query, layer.query_norm.as_deref(), scale);
        turn(&mut self.keys, kv, layer.key_norm.as_deref(), 1.0);
    }

    fn attention(&mut self, index: usize, steps: &[SequenceStep<'_>]) {
        let config = self.decoder.config();
        let width = config.query_width();
        let sequences: Vec<Queries<'_>> = self
            .spans
            .iter()
            .map(|span| Queries {
                cache: &*steps[span.sequence].cache,
                start: span.start,
                heads: &self.queries[span.row * width..][..span.count * width],
            })
            .collect();
        let shape = AttentionShape {
            layer: index,
            kv_heads: config.kv_heads,
            group: config.group(),
            head_dim: config.head_dim,
            window: config.layers[index].window,
            cap: config.attention_cap,
        };
        attend(&self.decoder.pool, shape, &sequences, &mut self.attended);
    }

    /// `normed` goes through the feed-forward block.
    fn feed_forward(&mut self, layer: &Layer) {
        let decoder = self.decoder;
        let config = decoder.config();
        let outs = [&mut self.gates[..], &mut self.ups[..]];
        layer
            .gate_up
            .forward(&decoder.pool, &self.normed, &mut self.fused, outs);
        let piece = ROWS / 4 * config.intermediate;
        let ups = &self.ups;
        for_chunks(&decoder.pool, &mut self.gates, piece, |part, gates| {
            gate(
                config.activation,
                gates,
                &ups[part * piece..][..gates.len()],
            );
        });
        let (gates, normed) = (&self.gates, &mut self.normed);
        layer.down.forward(&decoder.pool, gates, normed);
    }

    /// Adds `normed`, normed once more where the family does that, to `hidden`.
    fn add_normed(&mut self, norm: Option<&[f32]>) {
        if let Some(weight) = norm {
            rms_norm(&mut self.normed, weight, self.decoder.config().norm_epsilon);
        }
        add(&mut self.hidden, &self.normed);
    }

    fn ensure_finite(&self, place: Place) -> Result<(), Error> {
        // a sum is NaN or infinite if one of its terms is, and quicker to look at
        let suspicious = !self.hidden.iter().sum::<f32>().is_finite();
        if suspicious && self.hidden.iter().any(|value| !value.is_finite()) {
            return Err(self.decoder.blame(place));
        }
        Ok(())
    }
}

/// Rotations of each row, for each of the model's rotary embeddings.
fn rotations(decoder: &Decoder, spans: &[Span]) -> Vec<RotationTable> {
    let table = |rope: &crate::config::RopeSettings| {
        let mut table = RotationTable::new(rope.rotary / 2);
        for span in spans {
            let frequencies = rope.frequencies(span.length);
            for position in span.start..span.start + span.count {
                table.push(position, &frequencies);
            }
        }
        table
    };
    decoder.config().ropes.iter().map(table).collect()
}
