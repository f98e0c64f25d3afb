//! What `/api` takes and tells: a type for every request, answer and event.
//!
//! The OpenAPI document and the types of the page (`web/src/api/types.ts`) are made from these types.
//! Times are seconds since 1970, sizes are bytes.

mod difference;
mod error;
mod evaluation;
mod event;
mod files;
mod host;
mod hub;
mod model;
mod plan;
mod recipe;
mod request;
mod run;
mod run_request;
mod run_result;
mod schemas;
mod system;
#[cfg(test)]
mod typescript;

pub(crate) use difference::{Cell, Difference, Distance, OutsideTensor};
pub(crate) use error::{ErrorAnswer, ErrorBody};
pub(crate) use evaluation::{Data, DataKind, Evaluation, EvaluationList, Metric, Score};
pub(crate) use event::{Event, ModelChange, Nothing, RunLine};
pub(crate) use files::{Card, FileKind, FileList, Inspection, ModelFile, Tensor, TensorList};
pub(crate) use host::{Host, HostCheck, HostMemory};
pub(crate) use hub::{HubModel, HubModels, HubSearch};
pub(crate) use model::{
    Folder, Generation, Model, ModelDetails, ModelList, ModelState, ModelStatus, Origin, Parent,
    StateAnswer, Usage,
};
pub(crate) use plan::{MissingModel, Plan, PlanDropped, PlanFile, PlanInput};
pub(crate) use recipe::{
    AskedMethod, Check, ExplanationAnswer, Gallery, GalleryRecipe, Method, Methods, PreviewAnswer,
    ProposedName, RecipeText,
};
pub(crate) use request::{Request, Unexpected};
pub(crate) use run::{LogLine, Run, RunDetails, RunError, RunFilter, RunKind, RunList, RunState};
pub(crate) use run_request::{
    DifferenceRequest, EvaluateRequest, EvaluationData, MergeRequest, PullRequest, PushRequest,
    RunRequest,
};
pub(crate) use run_result::{
    DifferenceResult, EvaluateResult, MergeResult, PullResult, PushResult, RunResult,
};
pub(crate) use schemas::{Schemas, moved, query};
pub(crate) use system::{HubAccess, System};
