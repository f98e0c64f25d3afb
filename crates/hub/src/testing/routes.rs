//! Which request is answered by what, and who may ask.

use serde_json::{Value, json};

use super::answer::Answer;
use super::request::{Request, decoded};
use super::server::State;
use super::store::Access;
use super::{TestHub, files, uploads};

/// A path taken apart: `/api/models/ORG/NAME/tree/main` is the model `ORG/NAME`, the action `tree` and the rest `main`.
pub(super) struct ModelPath {
    pub(super) name: String,
    pub(super) action: String,
    /// What follows, still encoded: a revision, or a revision and a file's path.
    pub(super) rest: String,
}

const ACTIONS: [&str; 6] = [
    "revision",
    "tree",
    "preupload",
    "commit",
    "resolve",
    "paths-info",
];

impl ModelPath {
    fn parse(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').collect();
        let end = parts
            .iter()
            .take(3)
            .position(|part| ACTIONS.contains(part))
            .unwrap_or(parts.len().min(2));
        Self {
            name: decoded(&parts[..end].join("/")),
            action: parts.get(end).copied().unwrap_or_default().to_owned(),
            rest: parts.get(end + 1..).unwrap_or_default().join("/"),
        }
    }

    /// The revision and what follows it.
    pub(super) fn revision(&self) -> (String, String) {
        let (revision, rest) = self.rest.split_once('/').unwrap_or((&self.rest, ""));
        let revision = decoded(revision);
        let revision = if revision.is_empty() {
            "main".to_owned()
        } else {
            revision
        };
        (revision, decoded(rest))
    }
}

/// Answers a request.
pub(super) fn answer(hub: &TestHub, request: &Request) -> Answer {
    if let Some((status, wait)) = hub.status_fault(&request.path) {
        let answer = Answer::error(status, "", "a fault that was asked for");
        return match wait {
            Some(seconds) => answer.header("Retry-After", seconds.to_string()),
            None => answer,
        };
    }
    let path = request.path.trim_start_matches('/');
    if let Some(object) = path.strip_prefix("cdn/") {
        return files::large(hub, request, object);
    }
    if let Some(upload) = path.strip_prefix("lfs/") {
        return uploads::transfer(hub, request, upload);
    }
    let state = &mut *hub.state();
    if let Some(token) = request.token()
        && !state.tokens.contains_key(token)
    {
        return Answer::error(401, "", "Invalid credentials in Authorization header");
    }
    if path == "api/whoami-v2" {
        return who(state, request);
    }
    if path == "api/validate-yaml" {
        return Answer::json(&json!({"errors": [], "warnings": []}));
    }
    if path == "api/repos/create" {
        return uploads::create(state, request);
    }
    if path == "api/models" {
        return search(state, request);
    }
    if let Some(model) = path.strip_suffix(".git/info/lfs/objects/batch") {
        return uploads::batch(hub, state, request, &decoded(model));
    }
    let (is_api, model) = match path.strip_prefix("api/models/") {
        Some(model) => (true, ModelPath::parse(model)),
        None => (false, ModelPath::parse(path)),
    };
    if let Err(refusal) = may_see(state, request, &model.name) {
        return refusal;
    }
    match (is_api, model.action.as_str(), request.method.as_str()) {
        (true, "" | "revision", "GET") => files::info(state, &model),
        (true, "tree", "GET") => files::tree(hub, state, request, &model),
        (true, "paths-info", "POST") => files::paths(state, request, &model),
        (true, "preupload", "POST") => uploads::preupload(state, request, &model),
        (true, "commit", "POST") => uploads::commit(hub, state, request, &model),
        (false, "resolve", "GET" | "HEAD") => match may_read(state, request, &model.name) {
            Ok(()) => files::resolve(hub, state, request, &model),
            Err(refusal) => refusal,
        },
        _ => Answer::error(404, "", "no such page"),
    }
}

/// Models whose names hold the text that is searched, in the order of the alphabet; only what is asked for is told of each.
fn search(state: &State, request: &Request) -> Answer {
    let values = |name: &str| {
        let pairs = request.query.split('&');
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        let values = pairs.filter(|(key, _)| decoded(key) == name);
        values
            .map(|(_, value)| decoded(&value.replace('+', " ")))
            .collect::<Vec<String>>()
    };
    let text = values("search").concat().to_lowercase();
    let limit = values("limit").concat().parse().unwrap_or(usize::MAX);
    let expand = values("expand");
    let found = state.repositories.iter().filter(|(name, repository)| {
        let is_visible = repository.access != Access::Private || request.token().is_some();
        is_visible && name.to_lowercase().contains(&text)
    });
    let found: Vec<Value> = found
        .take(limit)
        .map(|(name, repository)| {
            let all = json!({
                "downloads": name.len() * 1000,
                "likes": name.len(),
                "lastModified": "2024-09-25T12:32:57.000Z",
                "pipeline_tag": "text-generation",
                "tags": ["transformers", "license:apache-2.0"],
                "gated": match repository.access {
                    Access::Gated(_) => json!("manual"),
                    _ => json!(false),
                },
            });
            let mut facts = json!({"_id": "0", "id": name, "modelId": name});
            for key in &expand {
                if let Some(value) = all.get(key) {
                    facts[key] = value.clone();
                }
            }
            facts
        })
        .collect();
    Answer::json(&json!(found))
}

fn who(state: &State, request: &Request) -> Answer {
    match request.token().and_then(|token| state.tokens.get(token)) {
        Some(user) => Answer::json(&json!({"type": "user", "name": user, "orgs": []})),
        None => Answer::error(401, "", "Invalid username or password."),
    }
}

/// Whether the repository exists for who asks.
fn may_see(state: &State, request: &Request, name: &str) -> Result<(), Answer> {
    let repository = state.repositories.get(name);
    let visible = match repository.map(|repository| &repository.access) {
        None => false,
        Some(Access::Private) => request.token().is_some(),
        Some(_) => true,
    };
    if visible {
        Ok(())
    } else if request.token().is_some() {
        Err(Answer::error(404, "RepoNotFound", "Repository not found"))
    } else {
        Err(Answer::error(
            401,
            "RepoNotFound",
            "Invalid username or password.",
        ))
    }
}

/// Whether the files may be read.
fn may_read(state: &State, request: &Request, name: &str) -> Result<(), Answer> {
    let Some(Access::Gated(accepted)) = state.repositories.get(name).map(|found| &found.access)
    else {
        return Ok(());
    };
    match request.token() {
        Some(token) if accepted.iter().any(|known| known == token) => Ok(()),
        Some(_) => Err(Answer::error(
            403,
            "GatedRepo",
            &format!(
                "Access to model {name} is restricted and you are not in the authorized list."
            ),
        )),
        None => Err(Answer::error(
            401,
            "GatedRepo",
            &format!(
                "Access to model {name} is restricted. You must be authenticated to access it."
            ),
        )),
    }
}
