//! How a model is used elsewhere: commands and code to be copied.

use std::path::Path;

use serde_json::{Value, json};

use super::Entry;
use crate::wire::{Origin, Usage};

/// How this server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Such as `http://127.0.0.1:8080`.
    address: String,
    needs_key: bool,
}

impl Server {
    /// As somebody just reached it; with its usual address where that is not known.
    pub(crate) fn reached(host: Option<&str>, needs_key: bool) -> Self {
        let is_plain = |host: &&str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte);
            !host.is_empty() && host.bytes().all(fits)
        };
        let host = host.filter(is_plain).unwrap_or("127.0.0.1:8080");
        Self {
            address: format!("http://{host}"),
            needs_key,
        }
    }
}

/// Each way with its title, its language and its text.
pub(super) fn usage(entry: &Entry, server: &Server) -> Vec<Usage> {
    if entry.facts.broken.is_some() {
        return Vec::new();
    }
    let mut ways = Vec::new();
    let mut way = |title: &str, language: &str, code: String| {
        ways.push(Usage {
            title: title.to_owned(),
            language: language.to_owned(),
            code,
        });
    };
    let place = place(entry);
    let name = &entry.name;
    let speaks = entry.facts.silent.is_none();
    if let Some(place) = place.as_deref().filter(|_| speaks) {
        let quoted = shell(place);
        way(
            "Command line",
            "sh",
            format!("weightsmith chat {quoted}\nweightsmith serve {quoted}"),
        );
    }
    if speaks {
        way("curl", "sh", curl(name, server));
        way("OpenAI client", "python", openai(name, server));
    }
    if let Some(place) = place.as_deref() {
        way("transformers", "python", transformers(place));
    }
    if let Some(folder) = &entry.folder {
        way("llama.cpp", "sh", llama_cpp(folder));
    }
    ways
}

/// What to call it on this machine: its folder, or its name on the hub.
fn place(entry: &Entry) -> Option<String> {
    if entry.origin == Origin::Cache {
        return Some(entry.name.clone());
    }
    let folder = entry.folder.as_ref()?;
    Some(folder.display().to_string())
}

fn curl(name: &str, server: &Server) -> String {
    let body = json!({"model": name, "messages": [{"role": "user", "content": "Hello!"}]});
    let key = if server.needs_key {
        "  -H \"authorization: Bearer $WEIGHTSMITH_API_KEY\" \\\n"
    } else {
        ""
    };
    format!(
        "curl {}/v1/chat/completions \\\n  -H 'content-type: application/json' \\\n{key}  -d {}",
        server.address,
        shell(&body.to_string())
    )
}

fn openai(name: &str, server: &Server) -> String {
    let (import, key) = if server.needs_key {
        ("import os\n\n", "os.environ[\"WEIGHTSMITH_API_KEY\"]")
    } else {
        ("", "\"none\"")
    };
    format!(
        "{import}from openai import OpenAI\n\n\
         client = OpenAI(base_url=\"{}/v1\", api_key={key})\n\
         answer = client.chat.completions.create(\n    model={},\n    messages=[{{\"role\": \"user\", \"content\": \"Hello!\"}}],\n)\n\
         print(answer.choices[0].message.content)",
        server.address,
        literal(name)
    )
}

fn transformers(place: &str) -> String {
    format!(
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n\
         name = {}\n\
         tokenizer = AutoTokenizer.from_pretrained(name)\n\
         model = AutoModelForCausalLM.from_pretrained(name, dtype=\"auto\")\n\
         inputs = tokenizer(\"Once upon a time\", return_tensors=\"pt\")\n\
         print(tokenizer.decode(model.generate(**inputs, max_new_tokens=100)[0]))",
        literal(place)
    )
}

fn llama_cpp(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    let file = shell(&format!("{}.gguf", name.to_string_lossy()));
    format!(
        "python convert_hf_to_gguf.py {} --outfile {file}\nllama-cli -m {file}",
        shell(&folder.display().to_string())
    )
}

/// A word for a shell, quoted where need be.
fn shell(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./@:".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text in Python, which reads JSON's form.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell_stay_one_word() {
        assert_eq!(shell("/data/a-b_c.1"), "/data/a-b_c.1");
        assert_eq!(shell("a b; rm"), "'a b; rm'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell(""), "''");
    }

    #[test]
    fn a_name_cannot_leave_its_text() {
        let name = r#"x" + evil + '"#;
        let server = Server::reached(None, false);
        assert!(openai(name, &server).contains(r#"model="x\" + evil + '","#));
        assert!(curl(name, &server).contains(r#""x\" + evil + '\''""#));
    }

    #[test]
    fn the_address_is_the_one_that_was_reached() {
        let address = |host| Server::reached(host, false).address;
        assert_eq!(address(Some("localhost:9000")), "http://localhost:9000");
        assert_eq!(address(Some("[::1]:80")), "http://[::1]:80");
        for bad in [None, Some(""), Some("x' ; rm"), Some("a/b")] {
            assert_eq!(address(bad), "http://127.0.0.1:8080");
        }
        let guarded = Server::reached(None, true);
        assert!(curl("m", &guarded).contains("Bearer $WEIGHTSMITH_API_KEY"));
        assert!(openai("m", &guarded).contains("os.environ"));
    }
}
