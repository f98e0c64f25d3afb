//! Inputs made from those of a corpus.

use std::io;
use std::ops::Range;

use crate::{MOST_INPUT, Random, Target, corpus};

/// Values at which arithmetic goes wrong, and what JSON, YAML and Jinja give meaning to.
const TOKENS: &[&str] = &[
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e309",
    "-1e-400",
    "1e-5",
    "0.5",
    "NaN",
    "Infinity",
    "-Infinity",
    "null",
    "true",
    "false",
    "\"\"",
    "[]",
    "{}",
    "[[",
    "{\"",
    "\\u0000",
    "\\ud800",
    "\\",
    "\"",
    "'",
    ",",
    ":",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{feff}",
    "\u{a0}",
    "\u{2028}",
    "🦀",
    "../",
    "/",
    "//",
    "~",
    "%s",
    "%00",
    "{{",
    "}}",
    "{%",
    "%}",
    "---\n",
    "&a ",
    "*a",
    "<<: *a",
    "- ",
    "!!binary ",
    "> ",
    "| ",
    "#",
    "[x](",
    "<div>",
    "&amp;",
    "**",
    "```",
];

/// Makes inputs for a target.
#[derive(Debug)]
pub struct Mutator {
    target: &'static Target,
    corpus: Vec<Vec<u8>>,
}

impl Mutator {
    /// Reads the target's corpus.
    ///
    /// # Errors
    /// When a file cannot be read, or there is none.
    pub fn new(target: &'static Target) -> io::Result<Self> {
        let folder = corpus(target.name);
        let mut paths = fs_err::read_dir(&folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        let corpus = paths
            .iter()
            .map(fs_err::read)
            .collect::<io::Result<Vec<_>>>()?;
        if corpus.is_empty() {
            let problem = format!("no input in {}", folder.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, problem));
        }
        Ok(Self { target, corpus })
    }

    /// The inputs of the corpus as they are.
    pub fn corpus(&self) -> &[Vec<u8>] {
        &self.corpus
    }

    /// The input of a seed and a number.
    pub fn input(&self, seed: u64, number: u64) -> Vec<u8> {
        let mut random = Random::new(self.target.name, seed, number);
        let mut input = random.choose(&self.corpus).cloned().unwrap_or_default();
        // most inputs differ little from a sound one, so that they reach what lies behind the first check
        let changes = 1 + (random.number() % 16).trailing_zeros().min(6) as usize;
        for _ in 0..changes {
            self.mutate(&mut input, &mut random);
        }
        input.truncate(MOST_INPUT);
        input
    }

    fn mutate(&self, input: &mut Vec<u8>, random: &mut Random) {
        match random.below(12) {
            0 => flip(input, random),
            1 => overwrite(input, random),
            2 => drop(input.drain(range(input.len(), 64, random))),
            3 => input.truncate(random.below(input.len() + 1)),
            4 => repeat(input, random),
            5 => self.splice(input, random),
            6 => swap(input, random),
            7 => number(input, random),
            8 => nest(input, random),
            9 => drop_line(input, random),
            _ => self.token(input, random),
        }
    }

    /// Puts a token in, or in the place of some bytes.
    fn token(&self, input: &mut Vec<u8>, random: &mut Random) {
        let own = self.target.tokens;
        let tokens = if own.is_empty() || random.below(2) == 0 {
            TOKENS
        } else {
            own
        };
        let Some(token) = random.choose(tokens) else {
            return;
        };
        let place = if random.below(2) == 0 {
            let at = random.below(input.len() + 1);
            at..at
        } else {
            range(input.len(), 16, random)
        };
        input.splice(place, token.bytes());
    }

    /// Puts a part of another input in.
    fn splice(&self, input: &mut Vec<u8>, random: &mut Random) {
        let Some(other) = random.choose(&self.corpus) else {
            return;
        };
        let part = range(other.len(), 256, random);
        let place = range(input.len(), 256, random);
        input.splice(place, other[part].iter().copied());
    }
}

/// A range of at most `longest` bytes.
fn range(length: usize, longest: usize, random: &mut Random) -> Range<usize> {
    let begin = random.below(length + 1);
    let end = begin + random.below((length - begin).min(longest) + 1);
    begin..end
}

fn flip(input: &mut [u8], random: &mut Random) {
    let at = random.below(input.len());
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn overwrite(input: &mut [u8], random: &mut Random) {
    let at = random.below(input.len());
    if let Some(byte) = input.get_mut(at) {
        *byte = random.number() as u8;
    }
}

/// Repeats a part, now and then so often that what is quadratic shows.
fn repeat(input: &mut Vec<u8>, random: &mut Random) {
    let part = range(input.len(), 64, random);
    let times = 1 << random.below(12);
    let repeated = input[part.clone()].repeat(times);
    let room = MOST_INPUT.saturating_sub(input.len());
    input.splice(part.end..part.end, repeated.into_iter().take(room));
}

fn swap(input: &mut [u8], random: &mut Random) {
    let (a, b) = (random.below(input.len()), random.below(input.len()));
    if !input.is_empty() {
        input.swap(a, b);
    }
}

/// Puts another number in the place of one.
fn number(input: &mut Vec<u8>, random: &mut Random) {
    let start = random.below(input.len());
    let Some(begin) = (start..input.len()).find(|at| input[*at].is_ascii_digit()) else {
        return;
    };
    let length = input[begin..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let text = match random.below(4) {
        0 => random.number().to_string(),
        1 => (1_u64 << random.below(64)).to_string(),
        2 => ((1_u64 << random.below(64)) - 1).to_string(),
        _ => random.below(10).to_string(),
    };
    input.splice(begin..begin + length, text.bytes());
}

/// Wraps a part in many brackets.
fn nest(input: &mut Vec<u8>, random: &mut Random) {
    let part = range(input.len(), 64, random);
    let depth = 1 << random.below(15);
    let brackets: &[(&str, &str)] = &[
        ("[", "]"),
        ("{", "}"),
        ("(", ")"),
        ("{\"a\":", "}"),
        ("> ", ""),
        ("- ", ""),
    ];
    let Some((open, close)) = random.choose(brackets) else {
        return;
    };
    let room = MOST_INPUT.saturating_sub(input.len()) / (open.len() + close.len());
    let depth = depth.min(room);
    let nested = [
        open.repeat(depth).as_bytes(),
        &input[part.clone()],
        close.repeat(depth).as_bytes(),
    ]
    .concat();
    input.splice(part, nested);
}

/// Takes a line out, or doubles it.
fn drop_line(input: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(input.len());
    let begin = input[..at]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |line| line + 1);
    let end = input[at..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(input.len(), |line| at + line + 1);
    if random.below(2) == 0 {
        input.drain(begin..end);
    } else {
        let line = input[begin..end].to_vec();
        input.splice(end..end, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TARGETS;

    #[test]
    fn an_input_follows_from_target_seed_and_number() {
        for target in TARGETS {
            let mutator = Mutator::new(target).unwrap();
            let inputs: Vec<_> = (0..50).map(|number| mutator.input(1, number)).collect();
            let again: Vec<_> = (0..50).map(|number| mutator.input(1, number)).collect();
            assert_eq!(inputs, again, "{}", target.name);
            let others: Vec<_> = (0..50).map(|number| mutator.input(2, number)).collect();
            assert_ne!(inputs, others, "{}", target.name);
            assert!(inputs.iter().all(|input| input.len() <= MOST_INPUT));
        }
    }

    #[test]
    fn every_target_takes_its_corpus() {
        for target in TARGETS {
            for input in Mutator::new(target).unwrap().corpus() {
                (target.run)(input);
            }
        }
    }
}
