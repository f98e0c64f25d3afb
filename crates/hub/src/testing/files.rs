//! The way down: facts, trees, files.

use serde_json::{Value, json};

use super::TestHub;
use super::answer::Answer;
use super::request::Request;
use super::routes::ModelPath;
use super::server::State;
use super::store::{Access, Commit, GitFile};

const NO_REVISION: &str = "Invalid rev id";

/// The commit that a path asks for.
fn commit<'a>(
    state: &'a State,
    model: &ModelPath,
) -> Result<(&'a String, &'a Commit, String), Answer> {
    let (revision, rest) = model.revision();
    state
        .repositories
        .get(&model.name)
        .and_then(|repository| repository.commit(&revision))
        .map(|(oid, commit)| (oid, commit, rest))
        .ok_or_else(|| Answer::error(404, "RevisionNotFound", NO_REVISION))
}

/// A model's facts.
pub(super) fn info(state: &State, model: &ModelPath) -> Answer {
    let (oid, commit, _) = match commit(state, model) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let access = &state.repositories[&model.name].access;
    let siblings: Vec<Value> = commit
        .files
        .keys()
        .map(|path| json!({"rfilename": path}))
        .collect();
    let gated = match access {
        Access::Gated(_) => json!("manual"),
        _ => json!(false),
    };
    Answer::json(&json!({
        "_id": "0", "id": model.name, "modelId": model.name, "sha": oid, "tags": [], "downloads": 0, "likes": 0,
        "private": *access == Access::Private, "gated": gated, "disabled": false,
        "createdAt": "2026-01-01T00:00:00.000Z", "lastModified": "2026-01-01T00:00:00.000Z", "siblings": siblings,
    }))
}

/// The files of a commit, by pages.
pub(super) fn tree(hub: &TestHub, state: &State, request: &Request, model: &ModelPath) -> Answer {
    let (_, commit, folder) = match commit(state, model) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let start: usize = request
        .parameter("cursor")
        .and_then(|cursor| cursor.parse().ok())
        .unwrap_or(0);
    let page = state.page.unwrap_or(1000);
    let files: Vec<Value> = commit
        .files
        .iter()
        .filter(|(path, _)| path.starts_with(&folder))
        .skip(start)
        .take(page)
        .map(|(path, file)| entry(path, file))
        .collect();
    let is_last = start + page >= commit.files.len();
    let answer = Answer::json(&Value::Array(files));
    if is_last {
        return answer;
    }
    let next = format!(
        "{}{}?recursive=true&cursor={}",
        hub.url(),
        request.path,
        start + page
    );
    answer.header("Link", format!("<{next}>; rel=\"next\""))
}

/// Facts about some files.
pub(super) fn paths(state: &State, request: &Request, model: &ModelPath) -> Answer {
    let (_, commit, _) = match commit(state, model) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let wanted = request.json();
    let found: Vec<Value> = wanted["paths"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|path| commit.files.get(path).map(|file| entry(path, file)))
        .collect();
    Answer::json(&Value::Array(found))
}

fn entry(path: &str, file: &GitFile) -> Value {
    let size = file.content.size();
    let mut entry = json!({"type": "file", "oid": file.oid, "size": size, "path": path});
    if let Some(sha256) = &file.lfs {
        entry["lfs"] = json!({"oid": sha256, "size": size, "pointerSize": 134});
    }
    entry
}

/// A file: small ones at once, large ones through a redirect.
pub(super) fn resolve(
    hub: &TestHub,
    state: &State,
    request: &Request,
    model: &ModelPath,
) -> Answer {
    let (oid, commit, path) = match commit(state, model) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let Some(file) = commit.files.get(&path) else {
        return Answer::error(404, "EntryNotFound", "Entry not found").header("X-Repo-Commit", oid);
    };
    let size = file.content.size();
    let answer = match &file.lfs {
        Some(sha256) => Answer::new(302)
            .header(
                "Location",
                format!(
                    "{}/cdn/{sha256}/{}?signature={}",
                    hub.store_url(),
                    path.replace('/', "-"),
                    state.signature
                ),
            )
            .header("X-Linked-Etag", format!("\"{sha256}\""))
            .header("X-Linked-Size", size.to_string()),
        None => Answer::file(file.content.clone(), request.range(size))
            .header("ETag", format!("\"{}\"", file.oid)),
    };
    answer.header("X-Repo-Commit", oid)
}

/// A large file from where it is stored. A signed address takes no token besides, as object stores have it.
pub(super) fn large(hub: &TestHub, request: &Request, object: &str) -> Answer {
    if request.token().is_some() {
        return Answer::error(400, "", "Only one auth mechanism allowed");
    }
    let signature = request.parameter("signature");
    if signature != Some(hub.state().signature.to_string()) {
        return Answer::error(403, "", "Request has expired");
    }
    let sha256 = object.split('/').next().unwrap_or_default();
    let content = hub.state().objects.get(sha256).cloned();
    match content {
        Some(content) => {
            let range = request.range(content.size());
            let range = range.filter(|_| !hub.ignores_ranges(&request.path));
            Answer::file(content, range).header("ETag", format!("\"{sha256}\""))
        }
        None => Answer::error(404, "", "no such object"),
    }
}
