//! How an answer is generated: the model's own settings, changed by options.

use std::fmt::Write as _;

use weightsmith_infer::{Finish, GenerationDefaults, GenerationSettings, Report};

use crate::args::SamplingArgs;
use weightsmith_session::quantities::{counted, seconds};

/// Puts what was asked for in the place of the model's own settings.
pub(crate) fn settings(defaults: &GenerationDefaults, args: &SamplingArgs) -> GenerationSettings {
    let SamplingArgs {
        max_tokens,
        temperature,
        top_k,
        top_p,
        min_p,
        repetition_penalty,
        seed,
        stop,
    } = args;
    let mut settings = defaults.settings();
    let sampling = &mut settings.sampling;
    let cut = top_k.is_some() || top_p.is_some() || min_p.is_some();
    if let Some(temperature) = *temperature {
        sampling.temperature = temperature;
    } else if cut && sampling.temperature == 0.0 {
        // whoever says what to choose among wants a choice
        sampling.temperature = 1.0;
    }
    sampling.top_k = top_k.unwrap_or(sampling.top_k);
    sampling.top_p = top_p.unwrap_or(sampling.top_p);
    sampling.min_p = min_p.unwrap_or(sampling.min_p);
    sampling.repetition_penalty = repetition_penalty.unwrap_or(sampling.repetition_penalty);
    settings.seed = *seed;
    settings.max_tokens = max_tokens.or(settings.max_tokens);
    settings.stop.extend(stop.iter().cloned());
    settings
}

/// Counts, speeds, and why it ended.
pub(crate) fn summary(report: &Report, sampled: bool) -> String {
    if report.read_tokens < report.prompt_tokens {
        return format!(
            "interrupted after {} of {} of prompt at {}/s",
            report.read_tokens,
            counted(report.prompt_tokens, "token"),
            speed(report.prompt_speed()),
        );
    }
    let mut text = format!(
        "{} of prompt at {}/s, {} at {}/s",
        counted(report.prompt_tokens, "token"),
        speed(report.prompt_speed()),
        counted(report.generated_tokens, "token"),
        speed(report.decode_speed()),
    );
    if let Some(first) = report.time_to_first_token {
        let _ = write!(text, ", first token after {}", seconds(first.as_secs_f64()));
    }
    if sampled {
        let _ = write!(text, "; seed {}", report.seed);
    }
    match report.finish {
        Some(Finish::MaxTokens) => text += "; stopped at the token limit",
        Some(Finish::ContextFull) => text += "; stopped at the context limit",
        Some(Finish::Cancelled) => text += "; interrupted",
        _ => {}
    }
    text
}

fn speed(per_second: f64) -> String {
    if per_second < 100.0 {
        format!("{per_second:.1}")
    } else {
        format!("{per_second:.0}")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use weightsmith_infer::SamplingSettings;

    use super::*;
    use crate::args::{Cli, Command};

    fn resolved(options: &[&str]) -> GenerationSettings {
        let line = ["weightsmith", "generate", "model"].iter().chain(options);
        let Command::Generate(args) = Cli::parse_from(line).command else {
            panic!("`generate` was given");
        };
        let defaults = GenerationDefaults {
            max_tokens: Some(128),
            stop: vec!["a".to_owned()],
            ..GenerationDefaults::default()
        };
        settings(&defaults, &args.sampling)
    }

    #[test]
    fn options_go_before_the_models_settings() {
        let plain = resolved(&[]);
        assert_eq!(plain.max_tokens, Some(128));
        assert_eq!(plain.sampling, SamplingSettings::default());
        let changed = resolved(&[
            "--max-tokens",
            "5",
            "--temperature",
            "0.5",
            "--stop",
            "b",
            "--seed",
            "7",
        ]);
        assert_eq!(changed.max_tokens, Some(5));
        assert_eq!(changed.sampling.temperature, 0.5);
        assert_eq!(changed.stop, ["a", "b"]);
        assert_eq!(changed.seed, Some(7));
    }

    #[test]
    fn a_cut_without_a_temperature_turns_sampling_on() {
        assert_eq!(resolved(&["--top-k", "5"]).sampling.temperature, 1.0);
        assert_eq!(
            resolved(&["--top-k", "5", "--temperature", "0"])
                .sampling
                .temperature,
            0.0
        );
    }
}
