//! Filters that lay out lines.

use crate::text::jinja::problem::{Problem, Result, fail};
use crate::text::jinja::run::Run;
use crate::text::jinja::run::arguments::{Arguments, int, size, text as as_text};
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::text::{is_space, lines};
use crate::text::jinja::value::{Text, Value, sequence};

/// The text that a filter works on.
fn subject<'v>(value: &'v Value, name: &str) -> Result<&'v Text> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Undefined(text) => Err(Problem::new(&**text)),
        other => fail!("`{name}` takes a text, not `{}`", other.kind()),
    }
}

pub(super) fn indent(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [width, first, blank] = arguments.bind("indent", ["width", "first", "blank"])?;
    let truth = |value: Option<Value>| value.is_some_and(|value| value.is_true());
    let (first, blank) = (truth(first), truth(blank));
    let prefix = match width {
        Some(Value::Text(text)) => text.text.to_string(),
        width => {
            let width = width.map_or(Ok(4), |width| int(&width, "indent"))?;
            run.heap.meter.fits(size(width))?;
            " ".repeat(size(width))
        }
    };
    let text = subject(&value, "indent")?;
    let mut out = Writer::new(&run.heap);
    let ended = format!("{}\n", text.text);
    for (index, line) in lines(&ended, false).into_iter().enumerate() {
        let indented = if index == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        if index > 0 {
            out.push("\n")?;
        }
        if indented {
            out.push(&prefix)?;
        }
        out.push(line)?;
    }
    run.heap.marked(out.text, text.safe)
}

pub(super) fn truncate(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let names = ["length", "killwords", "end", "leeway"];
    let [length, killwords, end, leeway] = arguments.bind("truncate", names)?;
    let length = length.map_or(Ok(255), |length| int(&length, "truncate"))?;
    let end = end.unwrap_or_else(|| Value::literal("..."));
    let end = as_text(&end, "truncate")?;
    let leeway = match leeway {
        None | Some(Value::None) => 5,
        Some(leeway) => int(&leeway, "truncate")?,
    };
    let kept = length - end.chars().count() as i128;
    if kept < 0 || leeway < 0 {
        fail!("`truncate` to a length that has no room for `{end}`");
    }
    if !matches!(value, Value::Text(_)) {
        let count = sequence::len(&value, &run.heap)? as i128;
        if count <= length.saturating_add(leeway) {
            return Ok(value);
        }
    }
    let text = subject(&value, "truncate")?;
    run.heap.meter.read(text.text.len())?;
    if text.text.chars().count() as i128 <= length.saturating_add(leeway) {
        return Ok(value);
    }
    let mut cut: String = text.text.chars().take(size(kept)).collect();
    if !killwords.is_some_and(|killwords| killwords.is_true())
        && let Some(blank) = cut.rfind(' ')
    {
        cut.truncate(blank);
    }
    run.heap.text(cut + end)
}

pub(super) fn wordwrap(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let names = [
        "width",
        "break_long_words",
        "wrapstring",
        "break_on_hyphens",
    ];
    let [width, break_long, between, on_hyphens] = arguments.bind("wordwrap", names)?;
    let width = width.map_or(Ok(79), |width| int(&width, "wordwrap"))?;
    if width <= 0 {
        fail!("`wordwrap` to a width of {width}");
    }
    let between = between.filter(|between| !matches!(between, Value::None));
    let between = between.unwrap_or_else(|| Value::literal("\n"));
    let between = as_text(&between, "wordwrap")?;
    let wrap = Wrap {
        width: size(width),
        break_long: break_long.is_none_or(|value| value.is_true()),
        on_hyphens: on_hyphens.is_none_or(|value| value.is_true()),
    };
    let text = subject(&value, "wordwrap")?;
    run.heap.meter.read(text.text.len())?;
    let mut out = Writer::new(&run.heap);
    for (index, line) in lines(&text.text, false).into_iter().enumerate() {
        if index > 0 {
            out.push(between)?;
        }
        run.heap.meter.make(line.len().saturating_mul(4))?;
        let letters: Vec<char> = line.chars().collect();
        for (index, (begin, end)) in wrap.lines(&letters).into_iter().enumerate() {
            if index > 0 {
                out.push(between)?;
            }
            run.heap.meter.work(1)?;
            out.push(&letters[begin..end].iter().collect::<String>())?;
        }
    }
    out.finish()
}

struct Wrap {
    width: usize,
    break_long: bool,
    on_hyphens: bool,
}

impl Wrap {
    /// Where the lines begin and end that a line becomes, blanks at their beginnings and ends dropped but for the first
    /// beginning.
    fn lines(&self, letters: &[char]) -> Vec<(usize, usize)> {
        let blank =
            |(begin, end): (usize, usize)| letters[begin..end].iter().copied().all(is_space);
        let mut chunks = self.chunks(letters);
        chunks.reverse();
        let mut lines = Vec::new();
        while let Some(first) = chunks.last().copied() {
            if !lines.is_empty() && blank(first) {
                chunks.pop();
            }
            let Some((begin, _)) = chunks.last().copied() else {
                break;
            };
            let (mut end, mut last) = (begin, (begin, begin));
            while let Some(chunk) = chunks.last().copied()
                && chunk.1 - begin <= self.width
            {
                (end, last) = (chunk.1, chunk);
                chunks.pop();
            }
            if let Some(chunk) = chunks.last_mut()
                && chunk.1 - chunk.0 > self.width
                && let Some(cut) = self.cut(&letters[chunk.0..chunk.1], end - begin)
            {
                last = (chunk.0, chunk.0 + cut);
                (end, chunk.0) = (last.1, last.1);
                if chunk.0 == chunk.1 {
                    chunks.pop();
                }
            }
            if blank(last) {
                end = last.0;
            }
            if end > begin {
                lines.push((begin, end));
            }
        }
        lines
    }

    /// How much of a word that fits in no line goes into this one, which has some letters already.
    fn cut(&self, word: &[char], length: usize) -> Option<usize> {
        if !self.break_long {
            return (length == 0).then_some(word.len());
        }
        let room = self.width - length;
        if self.on_hyphens
            && let Some(hyphen) = word[..room].iter().rposition(|letter| *letter == '-')
            && word[..hyphen].iter().any(|letter| *letter != '-')
        {
            return Some(hyphen + 1);
        }
        Some(room)
    }

    /// Words and the blanks between them; words with hyphens in parts.
    fn chunks(&self, letters: &[char]) -> Vec<(usize, usize)> {
        let mut chunks = Vec::new();
        let mut begin = 0;
        while begin < letters.len() {
            let blank = is_space(letters[begin]);
            let length = letters[begin..]
                .iter()
                .take_while(|letter| is_space(**letter) == blank)
                .count();
            let end = begin + length;
            if blank || !self.on_hyphens {
                chunks.push((begin, end));
            } else {
                hyphenated(&letters[begin..end], begin, &mut chunks);
            }
            begin = end;
        }
        chunks
    }
}

/// Cuts a word behind the hyphens between its letters, and before and behind dashes.
fn hyphenated(letters: &[char], offset: usize, parts: &mut Vec<(usize, usize)>) {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_letter = |place: usize| {
        letters
            .get(place)
            .is_some_and(|letter| is_word(*letter) && !letter.is_numeric())
    };
    let mut begin = 0;
    let mut place = 0;
    while place < letters.len() {
        if letters[place] != '-' {
            place += 1;
            continue;
        }
        let end = place
            + letters[place..]
                .iter()
                .take_while(|letter| **letter == '-')
                .count();
        let dash =
            end - place > 1 && place > 0 && letters.get(end).is_some_and(|letter| is_word(*letter));
        let hyphen = end - place == 1
            && place >= 2
            && [place - 2, place - 1, end, end + 1]
                .into_iter()
                .all(is_letter);
        if dash {
            parts.extend([
                (offset + begin, offset + place),
                (offset + place, offset + end),
            ]);
            begin = end;
        } else if hyphen {
            parts.push((offset + begin, offset + end));
            begin = end;
        }
        place = end;
    }
    if begin < letters.len() {
        parts.push((offset + begin, offset + letters.len()));
    }
}
