//! The model card and its picture as files of a run's result.

use std::io;

use serde_json::Value;
use weightsmith::output::{MODEL_CARD, SHARE_PICTURE, chat_template_file, parent_readme};
use weightsmith::plan::{FinishedFiles, MadeFile, Plan, RunFacts};
use weightsmith_tensors::json;

use super::{CardFacts, model_card};
use crate::explain::explain;
use crate::pictures::{has_share_picture, share_picture};

/// The model card, and the picture of the shares where there is something to see.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelCardFiles;

impl FinishedFiles for ModelCardFiles {
    fn names(&self, plan: &Plan) -> Vec<String> {
        let picture = has_share_picture(&explain(plan)).then_some(SHARE_PICTURE);
        let names = picture.into_iter().chain([MODEL_CARD]);
        names.map(str::to_owned).collect()
    }

    fn files(&self, facts: &RunFacts<'_>) -> io::Result<Vec<MadeFile>> {
        let plan = &facts.planned.plan;
        let explanation = explain(plan);
        let config: Option<Value> = plan
            .config
            .as_ref()
            .and_then(|config| json::read(config.as_bytes()).ok());
        let models = facts.planned.models.as_slice().iter();
        let readmes = models
            .map(|model| parent_readme(model.source.as_ref()))
            .collect::<io::Result<Vec<Option<String>>>>()?;
        let picture = share_picture(&explanation);
        let has_chat_template = chat_template_file(&|name| facts.planned.file(name))?.is_some();
        let card = model_card(&CardFacts {
            title: facts.title,
            plan,
            explanation: &explanation,
            recipe: plan.recipe(),
            config: config.as_ref(),
            readmes: &readmes,
            has_picture: picture.is_some(),
            has_chat_template,
            has_modules: plan.file("modules.json").is_some(),
            date: facts.date,
            non_finite: facts.non_finite,
        });
        let picture = picture.map(|picture| MadeFile::new(SHARE_PICTURE, picture));
        Ok(picture
            .into_iter()
            .chain([MadeFile::new(MODEL_CARD, card)])
            .collect())
    }
}
