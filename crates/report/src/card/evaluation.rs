//! What was measured, as a section of a model card that is replaced when it is measured again.

use jiff::Timestamp;

use super::markdown::{code, escaped};

/// The line before the section.
const BEGIN: &str =
    "<!-- begin of the evaluation by weightsmith; what stands here is replaced by the next one -->";
/// The line behind it.
const END: &str = "<!-- end of the evaluation by weightsmith -->";

/// What a card says about measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct CardScores {
    /// The models, the one of the card first.
    pub models: Vec<String>,
    /// The measurements.
    pub rows: Vec<CardScore>,
    /// When they were made.
    pub date: Timestamp,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct CardScore {
    /// The data.
    pub on: String,
    /// What is measured.
    pub measure: String,
    /// A value for each model, where there is one.
    pub values: Vec<Option<String>>,
}

/// The card with the measurements in the place of those that an earlier call put in, else at its end. Nothing else changes.
pub fn card_with_scores(card: &str, scores: &CardScores) -> String {
    let section = section(scores);
    let Some((begin, end)) = earlier(card) else {
        let gap = match card {
            "" => "",
            card if card.ends_with('\n') => "\n",
            _ => "\n\n",
        };
        return format!("{card}{gap}{section}\n");
    };
    format!("{}{section}{}", &card[..begin], &card[end..])
}

/// Where the section of an earlier call stands: from the line before it to the line behind it, without that line's end. A lone
/// first line, whose last line somebody has removed, is nobody's section.
fn earlier(card: &str) -> Option<(usize, usize)> {
    let mut begin = None;
    let mut offset = 0;
    for line in card.split_inclusive('\n') {
        let text = line.trim_end();
        match (text, begin) {
            (BEGIN, _) => begin = Some(offset),
            (END, Some(begin)) => return Some((begin, offset + text.len())),
            _ => {}
        }
        offset += line.len();
    }
    None
}

fn section(scores: &CardScores) -> String {
    let models: Vec<String> = scores.models.iter().map(|model| code(model)).collect();
    let mut lines = vec![
        BEGIN.to_owned(),
        "## Evaluation".to_owned(),
        String::new(),
        format!("| on | measure | {} |", models.join(" | ")),
        format!("|---|---|{}", "---:|".repeat(models.len())),
    ];
    for row in &scores.rows {
        let values: Vec<&str> = row
            .values
            .iter()
            .map(|value| value.as_deref().unwrap_or("–"))
            .collect();
        lines.push(format!(
            "| {} | {} | {} |",
            code(&row.on),
            escaped(&row.measure),
            values.join(" | ")
        ));
    }
    lines.push(String::new());
    lines.push(format!(
        "Measured with `weightsmith eval` {} on {}.",
        env!("CARGO_PKG_VERSION"),
        scores.date.strftime("%Y-%m-%d")
    ));
    lines.push(END.to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(value: &str) -> CardScores {
        CardScores {
            models: vec!["merged".to_owned(), "base|x".to_owned()],
            rows: vec![CardScore {
                on: "wiki.txt".to_owned(),
                measure: "perplexity".to_owned(),
                values: vec![Some(value.to_owned()), None],
            }],
            date: "2026-11-24T01:02:03Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_section_goes_to_the_end_and_is_replaced_there() {
        let first = card_with_scores("# Title\n\nMine.", &scores("1.5"));
        assert!(
            first.starts_with("# Title\n\nMine.\n\n<!-- begin"),
            "{first}"
        );
        assert!(first.contains("| on | measure | `merged` | `base\\|x` |\n|---|---|---:|---:|\n| `wiki.txt` | perplexity | 1.5 | – |\n"));
        let longer = format!("{first}\nMine too.\n");
        let second = card_with_scores(&longer, &scores("2.5"));
        assert_eq!(second, longer.replace("1.5", "2.5"));
    }

    #[test]
    fn text_behind_a_lone_first_line_stays() {
        let broken = format!("# Title\n{BEGIN}\nMine.\n");
        let once = card_with_scores(&broken, &scores("1.5"));
        let twice = card_with_scores(&once, &scores("2.5"));
        assert!(twice.starts_with(&broken), "{twice}");
        assert_eq!(twice, once.replace("1.5", "2.5"));
        let lone_end = format!("Mine.\n{END}\n");
        assert!(card_with_scores(&lone_end, &scores("1.5")).starts_with(&lone_end));
    }

    #[test]
    fn windows_line_ends_stay() {
        let card = card_with_scores("a\n", &scores("1.5")).replace('\n', "\r\n") + "b\r\n";
        let again = card_with_scores(&card, &scores("2.5"));
        assert!(again.starts_with("a\r\n\r\n<!--") && again.ends_with("weightsmith -->\r\nb\r\n"));
        assert_eq!(again.matches("## Evaluation").count(), 1);
    }
}
