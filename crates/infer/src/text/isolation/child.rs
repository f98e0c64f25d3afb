//! The process in which templates run.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use super::job::{Answer, Job};
use super::process::MOST_JOB;
use super::{STACK, frame, limits, thread};
use crate::Error;
use crate::caught::caught;

/// Compiles and renders what comes on the standard input, until it ends.
///
/// A program whose command was given to [`use_template_process`](super::use_template_process) calls this first thing when
/// it is started by that command.
pub fn template_process() -> ExitCode {
    limits::close_files();
    let (jobs, incoming) = channel();
    let renderer = Builder::new().stack_size(STACK);
    let started = renderer.spawn(move || render_all(&incoming, &mut io::stdout().lock()));
    if started.is_err() || limits::apply().is_err() {
        return ExitCode::FAILURE;
    }
    // The input ends with the process that asks. Returning ends this one, whatever the other thread is doing.
    let mut input = io::stdin().lock();
    while let Ok(Some(job)) = frame::read(&mut input, MOST_JOB) {
        if jobs.send(job).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn render_all(jobs: &Receiver<Vec<u8>>, answers: &mut impl Write) {
    let mut busy = Duration::ZERO;
    for job in jobs {
        limits::allow_time_after(busy);
        let begun = Instant::now();
        let answer =
            caught(|| answer(&job)).unwrap_or_else(|panic| Answer::Problem(thread::broken(&panic)));
        let sent = serde_json::to_vec(&answer)
            .map_err(io::Error::from)
            .and_then(|answer| frame::write(&mut *answers, &answer));
        if sent.is_err() {
            return;
        }
        busy += begun.elapsed();
    }
}

fn answer(job: &[u8]) -> Answer {
    let job: Job<'_> = match serde_json::from_slice(job) {
        Ok(job) => job,
        Err(problem) => {
            return Answer::Problem(format!("the conversation cannot be read: {problem}"));
        }
    };
    let (template, conversation) = job.unpack();
    let conversation = conversation
        .as_ref()
        .map(|(messages, options)| (messages.as_slice(), options));
    match thread::here(&template, conversation) {
        Ok(text) => Answer::Text(text),
        Err(Error::Template { problem, .. }) => Answer::Problem(problem),
        Err(other) => Answer::Problem(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{ChatTemplate, Message, SpecialTokens, TemplateOptions};

    #[test]
    fn jobs_are_answered_in_order() {
        let messages = [Message::new("user", "Hi")];
        let options = TemplateOptions::default();
        let (jobs, incoming) = channel();
        for (source, conversation) in [
            ("{{ messages[0].content }}", Some((&messages[..], &options))),
            (
                "{{ raise_exception('no') }}",
                Some((&messages[..], &options)),
            ),
            ("{{ messages }}", None),
            ("{% if %}", None),
        ] {
            let template = ChatTemplate::uncompiled(source, "", SpecialTokens::default());
            let job = Job::new(&template, conversation);
            jobs.send(serde_json::to_vec(&job).unwrap()).unwrap();
        }
        jobs.send(b"{".to_vec()).unwrap();
        drop(jobs);
        let mut sent = Vec::new();
        render_all(&incoming, &mut sent);
        let mut rest = sent.as_slice();
        let mut next = || -> Answer {
            let answer = frame::read(&mut rest, u32::MAX).unwrap().unwrap();
            serde_json::from_slice(&answer).unwrap()
        };
        let problem = |text: &str| Answer::Problem(text.to_owned());
        assert_eq!(next(), Answer::Text("Hi".to_owned()));
        assert_eq!(next(), problem("it refuses this conversation: no (line 1)"));
        assert_eq!(next(), Answer::Text(String::new()));
        assert_eq!(
            next(),
            problem("syntax error: unexpected `%}`, expected a value (line 1)")
        );
        assert!(
            matches!(next(), Answer::Problem(text) if text.starts_with("the conversation cannot be read"))
        );
        assert!(rest.is_empty());
    }
}
