//! Task arithmetic and its relatives: the task vectors Dᵢ = Wᵢ − W₀ of fine-tunes, thinned out, freed of conflicts and added to the base.
//!
//! A method is a [`Scheme`], a way to thin task vectors out and a way to settle conflicts; all else is the same for the eight of them.

mod breadcrumbs;
mod dare;
mod della;
mod mix;
mod norms;
mod parameters;
mod select;
mod settings;
mod task_arithmetic;
mod thin;
mod ties;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod golden;

use weightsmith_tensors::Real;

pub(super) use self::breadcrumbs::{BREADCRUMBS, BREADCRUMBS_TIES};
pub(super) use self::dare::{DARE_LINEAR, DARE_TIES};
pub(super) use self::della::{DELLA, DELLA_LINEAR};
pub(super) use self::task_arithmetic::TASK_ARITHMETIC;
pub(super) use self::ties::TIES;

use self::mix::Mix;
use self::norms::Norms;
use self::select::Selection;
use self::settings::Settings;
use self::thin::Thinning;
use super::family::Family;
use super::{
    BaseRule, Compile, InputCount, Kernel, Memory, MethodSpec, MissingRule, OutputTensor,
    ParameterSpec, Reference, Refusal, Stage, Unit,
};
use crate::Operation;

/// How task vectors are thinned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sparsifier {
    /// They are not.
    None,
    /// The largest magnitudes stay.
    Magnitude,
    /// The largest and the smallest magnitudes go.
    Window,
    /// Each element stays with the same probability.
    Bernoulli,
    /// Each element stays with a probability that grows with its rank in its row.
    RankedBernoulli,
}

/// How conflicts between task vectors are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consensus {
    /// They are added up.
    None,
    /// Each element has the sign of the weighted sum; what has the other is left out.
    SignSum,
}

/// A method of the family.
#[derive(Debug, Clone, Copy)]
struct Scheme {
    method: &'static str,
    sparsifier: Sparsifier,
    consensus: Consensus,
}

/// The family.
const SCHEMES: [Scheme; 8] = [
    scheme("task_arithmetic", Sparsifier::None, Consensus::None),
    scheme("ties", Sparsifier::Magnitude, Consensus::SignSum),
    scheme("dare_linear", Sparsifier::Bernoulli, Consensus::None),
    scheme("dare_ties", Sparsifier::Bernoulli, Consensus::SignSum),
    scheme("breadcrumbs", Sparsifier::Window, Consensus::None),
    scheme("breadcrumbs_ties", Sparsifier::Window, Consensus::SignSum),
    scheme("della_linear", Sparsifier::RankedBernoulli, Consensus::None),
    scheme("della", Sparsifier::RankedBernoulli, Consensus::SignSum),
];

const fn scheme(method: &'static str, sparsifier: Sparsifier, consensus: Consensus) -> Scheme {
    Scheme {
        method,
        sparsifier,
        consensus,
    }
}

impl Scheme {
    /// That of an operation of the family.
    fn of(operation: &Operation) -> Self {
        let mut schemes = SCHEMES.into_iter();
        schemes
            .find(|scheme| scheme.method == operation.method)
            .unwrap_or(SCHEMES[0])
    }
}

/// What a method of the family tells of itself.
#[derive(Clone, Copy)]
struct About {
    name: &'static str,
    title: &'static str,
    summary: &'static str,
    documentation: &'static str,
    reference: Reference,
    parameters: &'static [ParameterSpec],
}

/// The specification of a method of the family.
const fn specification(about: About) -> MethodSpec {
    MethodSpec {
        name: about.name,
        title: about.title,
        summary: about.summary,
        documentation: about.documentation,
        reference: Some(about.reference),
        base: BaseRule::Required,
        inputs: InputCount::at_least(1),
        parameters: about.parameters,
        missing: MissingRule::MergeRest,
        identity: settings::identity,
        shares: settings::shares,
        validate: settings::validate,
        compile: Compile {
            single: |operation| Box::new(Merge::new(operation)),
            double: |operation| Box::new(Merge::new(operation)),
        },
    }
}

/// An operation of the family.
#[derive(Debug, Clone)]
struct Merge {
    operation: Operation,
    scheme: Scheme,
}

impl Merge {
    fn new(operation: &Operation) -> Self {
        Self {
            operation: operation.clone(),
            scheme: Scheme::of(operation),
        }
    }

    fn settings<T: Real>(&self, output: &OutputTensor<'_>) -> Settings {
        let settings = Settings::of(&self.operation, output.info);
        let tile = Kernel::<T>::unit(self).tile(output.info);
        settings.remembering(tile, output.spare)
    }
}

impl<T: Real> Kernel<T> for Merge {
    fn passes(&self) -> usize {
        let selects = match self.scheme.sparsifier {
            Sparsifier::Magnitude | Sparsifier::Window => Selection::<T>::MOST_PASSES,
            Sparsifier::None | Sparsifier::Bernoulli | Sparsifier::RankedBernoulli => 0,
        };
        selects + usize::from(settings::rescales(&self.operation, self.scheme))
    }

    fn unit(&self) -> Unit {
        match self.scheme.sparsifier {
            Sparsifier::None => Unit::Element,
            Sparsifier::Bernoulli | Sparsifier::Magnitude | Sparsifier::Window => Unit::Tile,
            Sparsifier::RankedBernoulli => Unit::Slab,
        }
    }

    fn memory(&self, output: &OutputTensor<'_>) -> Memory {
        let settings = self.settings::<T>(output);
        let of_tiles = mix::memory::<T>(&settings, Kernel::<T>::unit(self), output.info);
        let remembered = Memory {
            shared: settings.remembered_bytes(),
            ..Memory::default()
        };
        of_tiles
            .plus(select::memory::<T>(&settings))
            .plus(remembered)
    }

    fn begin(&self, output: &OutputTensor<'_>) -> Stage<T> {
        let settings = self.settings::<T>(output);
        if self.scheme.sparsifier == Sparsifier::RankedBernoulli
            && thin::row_length(&output.info.shape) > u64::from(u32::MAX)
        {
            return Stage::Refuse(Refusal::LongRows);
        }
        let terms = settings.terms.iter();
        let thinnings = terms.map(|term| Thinning::of(term, output)).collect();
        Selection::begin(settings, thinnings)
    }
}

/// What follows once it is known how every task vector is thinned out.
fn thinned<T: Real>(settings: Settings, thinnings: Vec<Thinning>) -> Stage<T> {
    let is_scaled = settings.rescale
        && thinnings
            .iter()
            .any(|thinning| !matches!(thinning, Thinning::Keep));
    if is_scaled {
        Stage::measure(Norms {
            remembers: settings.remembers,
            settings,
            thinnings,
        })
    } else {
        let scales = vec![1.0; thinnings.len()];
        Stage::apply(Mix::new(settings, thinnings, &scales))
    }
}

/// The base's position, where nothing is added to it.
fn lone_base(operation: &Operation) -> usize {
    Family::of(operation).base
}
