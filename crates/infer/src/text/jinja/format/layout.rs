//! What stands behind the colon of `'{:…}'`: alignment, sign, width, precision and kind.

use super::float;
use crate::text::jinja::problem::{Problem, Result, fail};
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::{Value, number, repr};

#[derive(Debug, Default)]
struct Layout {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    /// A zero has no minus.
    plain_zero: bool,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

/// `format(value, spec)`.
pub(super) fn write(value: &Value, spec: &str, out: &mut Writer<'_>) -> Result<()> {
    if spec.is_empty() {
        return repr::write_display(value, out);
    }
    let layout = parse(spec)?;
    match value {
        Value::Text(text) => write_text(&text.text, &layout, out),
        Value::Int(_) | Value::Bool(_) => match (layout.kind, value.as_int()) {
            (Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%'), Some(int)) => {
                write_float(int as f64, &layout, out)
            }
            (_, Some(int)) => write_int(int, &layout, out),
            _ => Err(unknown(&layout, value)),
        },
        Value::Float(float) => write_float(*float, &layout, out),
        other => fail!("`{}` takes no format such as `{spec}`", other.kind()),
    }
}

fn unknown(layout: &Layout, value: &Value) -> Problem {
    let kind = layout.kind.unwrap_or(' ');
    Problem::new(format!("the format `{kind}` of `{}`", value.kind()))
}

fn parse(spec: &str) -> Result<Layout> {
    let mut layout = Layout::default();
    let letters: Vec<char> = spec.chars().collect();
    let at = |place: usize| letters.get(place).copied();
    let is_align = |letter: Option<char>| letter.filter(|letter| "<>=^".contains(*letter));
    let mut place = 0;
    if let Some(align) = is_align(at(1)) {
        (layout.fill, layout.align) = (at(0), Some(align));
        place = 2;
    } else if let Some(align) = is_align(at(0)) {
        layout.align = Some(align);
        place = 1;
    }
    if let Some(sign) = at(place).filter(|letter| "+- ".contains(*letter)) {
        layout.sign = Some(sign);
        place += 1;
    }
    if at(place) == Some('z') {
        layout.plain_zero = true;
        place += 1;
    }
    if at(place) == Some('#') {
        layout.alternate = true;
        place += 1;
    }
    if at(place) == Some('0') {
        if layout.fill.is_none() {
            layout.fill = Some('0');
            // by the value's kind where nothing else is said
            layout.align = layout.align.or(Some('0'));
        }
        place += 1;
    }
    let number = |place: &mut usize| -> Option<usize> {
        let begin = *place;
        let mut number = 0_usize;
        while let Some(digit) = at(*place).and_then(|letter| letter.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(digit as usize);
            *place += 1;
        }
        (*place > begin).then_some(number)
    };
    layout.width = number(&mut place).unwrap_or(0);
    if let Some(grouping) = at(place).filter(|letter| ",_".contains(*letter)) {
        layout.grouping = Some(grouping);
        place += 1;
    }
    if at(place) == Some('.') {
        place += 1;
        layout.precision =
            Some(number(&mut place).ok_or_else(|| Problem::new("a format without its precision"))?);
    }
    layout.kind = at(place);
    if letters.len() > place + 1 {
        fail!("the format `{spec}`");
    }
    Ok(layout)
}

fn write_text(text: &str, layout: &Layout, out: &mut Writer<'_>) -> Result<()> {
    let odd = layout.sign.is_some()
        || layout.plain_zero
        || layout.alternate
        || layout.grouping.is_some()
        || layout.align == Some('=');
    if odd || !matches!(layout.kind, None | Some('s')) {
        fail!("a format that texts do not have");
    }
    let kept: String = match layout.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    pad("", &kept, layout, '<', out)
}

fn write_int(int: i128, layout: &Layout, out: &mut Writer<'_>) -> Result<()> {
    if layout.precision.is_some() || layout.plain_zero {
        fail!("a precision, or `z`, of a whole number");
    }
    let size = int.unsigned_abs();
    let (prefix, digits) = match layout.kind.unwrap_or('d') {
        'd' | 'n' => ("", size.to_string()),
        'b' => ("0b", format!("{size:b}")),
        'o' => ("0o", format!("{size:o}")),
        'x' => ("0x", format!("{size:x}")),
        'X' => ("0X", format!("{size:X}")),
        'c' => {
            let letter = u32::try_from(int).ok().and_then(char::from_u32);
            let letter = letter.ok_or_else(|| Problem::new("a number that is no letter"))?;
            return pad("", &letter.to_string(), layout, '<', out);
        }
        kind => fail!("the format `{kind}` of a whole number"),
    };
    let group = match (layout.grouping, layout.kind) {
        (Some(','), Some('b' | 'o' | 'x' | 'X' | 'n')) | (Some('_'), Some('n')) => {
            fail!("a format with this separator")
        }
        (Some(_), Some('b' | 'o' | 'x' | 'X')) => 4,
        _ => 3,
    };
    let sign = sign(int < 0, layout);
    let prefix = if layout.alternate { prefix } else { "" };
    let head = format!("{sign}{prefix}");
    let digits = grouped(&digits, group, layout, head.len());
    pad(&head, &digits, layout, '>', out)
}

fn write_float(float: f64, layout: &Layout, out: &mut Writer<'_>) -> Result<()> {
    let heap = out.heap;
    let digits = match (layout.kind, layout.precision) {
        (None, None) => number::float_repr(float.abs()),
        (None, Some(precision)) => {
            let text = float::digits(heap, float, 'g', precision, layout.alternate)?;
            // as `repr`, it has a digit behind the point
            if text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() < precision.max(1) {
                text + ".0"
            } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
                float::digits(heap, float, 'e', precision.max(1) - 1, layout.alternate)?
            } else {
                text
            }
        }
        (Some('n'), precision) => {
            float::digits(heap, float, 'g', precision.unwrap_or(6), layout.alternate)?
        }
        (Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')), precision) => {
            float::digits(heap, float, kind, precision.unwrap_or(6), layout.alternate)?
        }
        (Some(kind), _) => fail!("the format `{kind}` of a float"),
    };
    let zero = layout.plain_zero && !digits.contains(|digit| ('1'..='9').contains(&digit));
    let sign = sign(float.is_sign_negative() && !float.is_nan() && !zero, layout);
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = digits.split_at(whole);
    let whole = grouped(whole, 3, layout, sign.len() + rest.len());
    pad(sign, &format!("{whole}{rest}"), layout, '>', out)
}

fn sign(negative: bool, layout: &Layout) -> &'static str {
    match (negative, layout.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    }
}

/// Digits in groups. Zeros that fill a width are grouped too.
fn grouped(digits: &str, size: usize, layout: &Layout, beside: usize) -> String {
    let Some(separator) = layout.grouping else {
        return digits.to_owned();
    };
    let mut digits = digits.to_owned();
    if layout.fill == Some('0') && matches!(layout.align, Some('0' | '=')) {
        let room = layout.width.min(4096).saturating_sub(beside);
        while digits.len() + (digits.len() - 1) / size < room {
            digits.insert(0, '0');
        }
    }
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(size) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

fn pad(head: &str, body: &str, layout: &Layout, usual: char, out: &mut Writer<'_>) -> Result<()> {
    let missing = layout
        .width
        .saturating_sub(head.len() + body.chars().count());
    let align = match layout.align {
        Some('0') if usual == '>' => '=',
        Some('0') | None => usual,
        Some(align) => align,
    };
    let (before, middle) = match align {
        '<' => (0, 0),
        '^' => (missing / 2, 0),
        '=' => (0, missing),
        _ => (missing, 0),
    };
    let fill = layout.fill.unwrap_or(' ').to_string();
    out.repeat(&fill, before)?;
    out.push(head)?;
    out.repeat(&fill, middle)?;
    out.push(body)?;
    out.repeat(&fill, missing - before - middle)
}
