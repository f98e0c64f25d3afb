//! The way up: repositories, large files, commits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::Answer;
use super::request::Request;
use super::routes::ModelPath;
use super::server::State;
use super::store::{Access, Commit, GitFile, is_large};
use super::{Content, TestHub};

/// Whose token it is, where it may write to a name.
fn writer(state: &State, request: &Request, name: &str) -> Result<(), Answer> {
    let owner = name.split('/').next().unwrap_or_default();
    match request.token().and_then(|token| state.tokens.get(token)) {
        None => Err(Answer::error(401, "", "Invalid username or password.")),
        Some(user) if user == owner => Ok(()),
        Some(user) => Err(Answer::error(
            403,
            "",
            &format!("You don't have the rights to write under the namespace \"{owner}\", {user}"),
        )),
    }
}

/// Makes a repository.
pub(super) fn create(state: &mut State, request: &Request) -> Answer {
    let wanted = request.json();
    let Some(user) = request.token().and_then(|token| state.tokens.get(token)) else {
        return Answer::error(401, "", "Invalid username or password.");
    };
    let owner = wanted["organization"].as_str().unwrap_or(user);
    let name = format!("{owner}/{}", wanted["name"].as_str().unwrap_or_default());
    if let Err(refusal) = writer(state, request, &name) {
        return refusal;
    }
    let url = json!({"url": format!("/{name}"), "name": name, "id": "0"});
    if state.repositories.contains_key(&name) {
        let answer = Answer::error(409, "", "You already created this model repo");
        return answer;
    }
    let private = wanted["private"] == true || wanted["visibility"] == "private";
    let repository = state.repositories.entry(name).or_default();
    if private {
        repository.access = Access::Private;
    }
    let attributes = Content::from("*.safetensors filter=lfs diff=lfs merge=lfs -text\n");
    let mut first = Commit {
        summary: "initial commit".to_owned(),
        ..Commit::default()
    };
    match GitFile::new(".gitattributes", attributes) {
        Ok(file) => first.files.insert(".gitattributes".to_owned(), file),
        Err(error) => return Answer::error(500, "", &error.to_string()),
    };
    repository.add("main", first);
    Answer::json(&url)
}

/// Says which files go up through LFS.
pub(super) fn preupload(state: &State, request: &Request, model: &ModelPath) -> Answer {
    if let Err(refusal) = writer(state, request, &model.name) {
        return refusal;
    }
    let (revision, _) = model.revision();
    let known = state
        .repositories
        .get(&model.name)
        .and_then(|repository| repository.commit(&revision));
    let wanted = request.json();
    let modes: Vec<Value> = wanted["files"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|file| {
            let path = file["path"].as_str().unwrap_or_default();
            let large = is_large(path, file["size"].as_u64().unwrap_or(0));
            let oid = known.and_then(|(_, commit)| commit.files.get(path)).map(|file| &file.oid);
            json!({"path": path, "uploadMode": if large { "lfs" } else { "regular" }, "shouldIgnore": false, "oid": oid})
        })
        .collect();
    Answer::json(&json!({"files": modes}))
}

/// Says where large files go.
pub(super) fn batch(hub: &TestHub, state: &State, request: &Request, name: &str) -> Answer {
    if let Err(refusal) = writer(state, request, name) {
        return refusal;
    }
    let wanted = request.json();
    let objects: Vec<Value> = wanted["objects"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|object| {
            let oid = object["oid"].as_str().unwrap_or_default();
            let size = object["size"].as_u64().unwrap_or(0);
            let mut answer = json!({"oid": oid, "size": size});
            if !state.objects.contains_key(oid) {
                answer["actions"] = actions(hub, state, oid, size);
            }
            answer
        })
        .collect();
    let transfer = if state.part_size.is_some() {
        "multipart"
    } else {
        "basic"
    };
    Answer::json(&json!({"transfer": transfer, "objects": objects}))
}

fn actions(hub: &TestHub, state: &State, oid: &str, size: u64) -> Value {
    let url = hub.url();
    let verify = json!({"href": format!("{url}/lfs/verify/{oid}")});
    let Some(part) = state.part_size else {
        return json!({"upload": {"href": format!("{url}/lfs/whole/{oid}")}, "verify": verify});
    };
    let mut header = json!({"chunk_size": part.to_string()});
    for number in 1..=size.div_ceil(part) {
        header[number.to_string()] = json!(format!("{url}/lfs/part/{oid}/{number}"));
    }
    json!({"upload": {"href": format!("{url}/lfs/complete/{oid}"), "header": header}, "verify": verify})
}

/// Takes a large file, a part of one, or the news that all parts are there.
pub(super) fn transfer(hub: &TestHub, request: &Request, path: &str) -> Answer {
    let parts: Vec<&str> = path.split('/').collect();
    let answer = match parts[..] {
        ["whole", oid] => store(hub, oid, request.body.clone()),
        ["part", oid, number] => {
            let number = number.parse().unwrap_or(0);
            hub.state()
                .parts
                .insert((oid.to_owned(), number), request.body.clone());
            Ok(Answer::new(200).header("ETag", format!("\"part-{number}\"")))
        }
        ["complete", oid] => complete(hub, oid, &request.json()),
        ["verify", oid] => Ok(if hub.state().objects.contains_key(oid) {
            Answer::json(&json!({}))
        } else {
            Answer::error(404, "", "the object is not there")
        }),
        _ => Ok(Answer::error(404, "", "no such page")),
    };
    answer.unwrap_or_else(|error| Answer::error(500, "", &error.to_string()))
}

fn complete(hub: &TestHub, oid: &str, wanted: &Value) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    for part in wanted["parts"].as_array().into_iter().flatten() {
        let number = part["partNumber"].as_u64().unwrap_or(0) as usize;
        let found = hub.state().parts.remove(&(oid.to_owned(), number));
        match found {
            Some(content) if part["etag"] == format!("\"part-{number}\"") => {
                bytes.extend(content.bytes()?);
            }
            _ => return Ok(Answer::error(400, "", "a part is missing")),
        }
    }
    store(hub, oid, Content::from(bytes))
}

fn store(hub: &TestHub, oid: &str, content: Content) -> std::io::Result<Answer> {
    if content.sha256()? != oid {
        return Ok(Answer::error(400, "", "the content has another hash"));
    }
    hub.state().objects.insert(oid.to_owned(), content);
    Ok(Answer::new(200))
}

/// Adds a commit, or a pull request with one.
pub(super) fn commit(
    hub: &TestHub,
    state: &mut State,
    request: &Request,
    model: &ModelPath,
) -> Answer {
    if let Err(refusal) = writer(state, request, &model.name) {
        return refusal;
    }
    let (revision, _) = model.revision();
    let body = request.body.bytes().unwrap_or_default();
    let lines: Vec<Value> = body
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap_or_default())
        .collect();
    let State {
        repositories,
        objects,
        ..
    } = state;
    let Some(repository) = repositories.get_mut(&model.name) else {
        return Answer::error(404, "RepoNotFound", "Repository not found");
    };
    let Some((parent, base)) = repository.commit(&revision) else {
        return Answer::error(404, "RevisionNotFound", "Invalid rev id");
    };
    let mut next = base.clone();
    for line in &lines {
        let value = &line["value"];
        if line["key"] == "header" {
            value["summary"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut next.summary);
            if value["parentCommit"]
                .as_str()
                .is_some_and(|wanted| wanted != parent)
            {
                return Answer::error(
                    412,
                    "",
                    "A commit has happened since. Please refresh and try again.",
                );
            }
            continue;
        }
        let path = value["path"].as_str().unwrap_or_default().to_owned();
        let file = match line["key"].as_str() {
            Some("deletedFile") => {
                next.files.remove(&path);
                continue;
            }
            Some("file") => regular(value),
            Some("lfsFile") => large(value, objects),
            _ => Err("unknown operation".to_owned()),
        };
        match file {
            Ok(file) => next.files.insert(path, file),
            Err(problem) => return Answer::error(400, "", &problem),
        };
    }
    let url = format!("{}/{}", hub.url(), model.name);
    let create_pr = request.parameter("create_pr").is_some();
    let number = repository.refs.len();
    let branch = if create_pr {
        format!("refs/pr/{number}")
    } else {
        revision
    };
    let oid = repository.add(&branch, next);
    let mut answer = json!({"success": true, "commitOid": oid, "commitUrl": format!("{url}/commit/{oid}"), "hookOutput": ""});
    if create_pr {
        answer["pullRequestUrl"] = json!(format!("{url}/discussions/{number}"));
    }
    Answer::json(&answer).with_status(200)
}

fn regular(value: &Value) -> Result<GitFile, String> {
    let text = value["content"].as_str().unwrap_or_default();
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let content = Content::from(bytes);
    Ok(GitFile {
        oid: content.git_oid().map_err(|error| error.to_string())?,
        content,
        lfs: None,
    })
}

fn large(
    value: &Value,
    objects: &std::collections::BTreeMap<String, Content>,
) -> Result<GitFile, String> {
    let oid = value["oid"].as_str().unwrap_or_default();
    let content = objects.get(oid).ok_or("the large file was not uploaded")?;
    if value["size"]
        .as_u64()
        .is_some_and(|size| size != content.size())
    {
        return Err("the large file has another size".to_owned());
    }
    GitFile::large(content.clone(), oid.to_owned()).map_err(|error| error.to_string())
}
