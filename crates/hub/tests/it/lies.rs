//! A hub that lies: sizes, pages, answers without end. Everything is bounded, and ends in words.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use weightsmith_hub::{Hub, HubError, HubSettings, Silent};

use crate::liar::{self, COMMIT, Part, json, json_with, trickle};

struct Asked {
    folder: tempfile::TempDir,
    result: Result<PathBuf, HubError>,
    took: Duration,
}

impl Asked {
    fn error(&self) -> String {
        match &self.result {
            Ok(folder) => panic!("{} was pulled", folder.display()),
            Err(error) => error.to_string(),
        }
    }

    fn is_untouched(&self) -> bool {
        !self.folder.path().join("hub").exists()
    }
}

fn pull(endpoint: String) -> Asked {
    let folder = tempfile::tempdir().unwrap();
    let second = Duration::from_secs(1);
    let hub = Hub::new(&HubSettings {
        first_wait: Duration::from_millis(1),
        download_patience: second,
        answer_patience: second,
        ..HubSettings::new(endpoint, folder.path().join("hub"))
    });
    let start = Instant::now();
    let looked = hub.look(&"org/name".parse().unwrap());
    let result = looked.and_then(|listing| Ok(hub.pull(&[listing], &Silent)?.remove(0)));
    Asked {
        folder,
        result,
        took: start.elapsed(),
    }
}

fn entry(path: &str, size: u64) -> String {
    let hash = "0".repeat(64);
    format!(r#"{{"type":"file","path":"{path}","oid":"","lfs":{{"oid":"{hash}","size":{size}}}}}"#)
}

fn shards(sizes: &[u64]) -> String {
    let all = sizes.iter().enumerate().map(|(number, size)| {
        let (number, total) = (number + 1, sizes.len());
        entry(
            &format!("model-{number:05}-of-{total:05}.safetensors"),
            *size,
        )
    });
    format!("[{}]", all.collect::<Vec<_>>().join(","))
}

#[test]
fn sizes_whose_sum_wraps_are_refused_before_anything() {
    for sizes in [[1 << 63, 1 << 63], [u64::MAX, 2], [1, u64::MAX]] {
        let asked = pull(liar::hub_of(shards(&sizes), |_| json("")));
        let error = asked.error();
        assert!(
            error.contains("bytes, at most 1099511627776 are allowed"),
            "{error}"
        );
        assert!(asked.is_untouched());
    }
}

#[cfg(unix)]
#[test]
fn what_the_disk_cannot_hold_is_refused_before_anything() {
    // all different, so that each is a file of its own
    let files: Vec<String> = (0..4096)
        .map(|number| {
            let name = format!("model-{:05}-of-04096.safetensors", number + 1);
            entry(&name, 1 << 40).replace(&"0".repeat(64), &format!("{number:064x}"))
        })
        .collect();
    let tree = format!("[{}]", files.join(","));
    let asked = pull(liar::hub_of(tree, |_| json("{}")));
    assert!(
        matches!(asked.result, Err(HubError::NoSpace { needed, .. }) if needed == 1 << 52),
        "{}",
        asked.error()
    );
    let blobs = asked.folder.path().join("hub/models--org--name/blobs");
    assert!(!blobs.exists());
}

#[test]
fn pages_end_whatever_the_hub_says() {
    let pages = |next: fn(u64, &str) -> String| {
        let count = std::sync::atomic::AtomicU64::new(0);
        liar::start(move |own, request| {
            if request.path.contains("/revision/") {
                return json(&format!(r#"{{"sha":"{COMMIT}"}}"#));
            }
            let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let tree = format!("{own}/api/models/org/name/tree/{COMMIT}");
            json_with(
                &format!("Link: <{}>; rel=\"next\"\r\n", next(number, &tree)),
                "[]",
            )
        })
    };
    let error = |next| pull(pages(next)).error();
    let text = error(|number, tree| format!("{tree}?cursor={number}"));
    assert!(text.ends_with("more than 1000 pages"), "{text}");
    let text = error(|number, tree| format!("{tree}?cursor={}", number % 2));
    assert!(
        text.ends_with("the next page repeats an earlier one"),
        "{text}"
    );
    let text = error(|_, _| "http://127.0.0.1:1/api/models/other?x".to_owned());
    assert!(
        text.ends_with("the next page belongs to another request"),
        "{text}"
    );
}

#[test]
fn listings_are_bounded_in_bytes_and_in_number() {
    let folders = r#"{"type":"directory","path":""},"#.repeat(200_001);
    let asked = pull(liar::hub_of(format!("[{folders}"), |_| json("")));
    let error = asked.error();
    assert!(
        error.contains("more than 200000 files and folders"),
        "{error}"
    );
    let long = " ".repeat((32 << 20) + 1);
    let error = pull(liar::hub_of(long, |_| json(""))).error();
    assert!(error.ends_with("more than 32 MiB"), "{error}");
    let error = pull(liar::hub_of("[".repeat(100_000), |_| json(""))).error();
    assert!(error.contains("unexpected JSON"), "{error}");
}

#[test]
fn a_trickle_of_bytes_is_given_up() {
    let tree = format!("[{}]", entry("model.safetensors", 100_000));
    let asked = pull(liar::hub_of(tree, |request| {
        trickle(request, 100_000, Duration::from_millis(50))
    }));
    let error = asked.error();
    assert!(error.contains("too slow: "), "{error}");
    assert!(asked.took < Duration::from_secs(20), "{:?}", asked.took);

    let asked = pull(liar::start(|_, request| {
        trickle(request, 100_000, Duration::from_millis(50))
    }));
    let error = asked.error();
    assert!(error.contains("too slow: "), "{error}");
    assert!(asked.took < Duration::from_secs(20), "{:?}", asked.took);
}

#[test]
fn silence_is_given_up() {
    let wait = || vec![Part::Wait(Duration::from_secs(30))];
    let asked = pull(liar::start(move |_, _| wait()));
    let error = asked.error();
    assert!(error.contains("timeout"), "{error}");
    assert!(asked.took < Duration::from_secs(20), "{:?}", asked.took);
}

#[test]
fn headers_without_end_are_given_up() {
    let asked = pull(liar::start(|_, _| {
        let mut parts = vec![Part::Bytes(b"HTTP/1.1 200 OK\r\n".to_vec())];
        let line = b"X-A: b\r\n".repeat(1000);
        parts.extend((0..100).map(|_| Part::Bytes(line.clone())));
        parts
    }));
    assert!(asked.result.is_err());
    assert!(asked.took < Duration::from_secs(20), "{:?}", asked.took);
}

#[test]
fn a_hub_that_asks_for_patience_again_and_again_gets_five_minutes_in_all() {
    let asked = pull(liar::start(|_, _| {
        vec![Part::Bytes(
            b"HTTP/1.1 429 Wait\r\nConnection: close\r\nRetry-After: 301\r\nContent-Length: 0\r\n\r\n".to_vec(),
        )]
    }));
    assert!(matches!(asked.result, Err(HubError::RateLimited { .. })));
}
