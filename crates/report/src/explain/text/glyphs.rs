//! The characters that charts are drawn with.

/// One set of characters.
pub(super) struct Glyphs {
    /// Fillings of a cell from below, from empty to full.
    pub(super) levels: &'static [char],
    /// Fillings of a cell from above, from empty to full.
    pub(super) hanging: &'static [char],
    /// How the area of each model is filled; repeated when there are more models.
    pub(super) fills: &'static [char],
    pub(super) axis: char,
    pub(super) tick: char,
    pub(super) origin: char,
    pub(super) base_line: char,
    pub(super) rule: char,
    pub(super) dot: char,
    pub(super) from: &'static str,
}

pub(super) static UNICODE: Glyphs = Glyphs {
    levels: &[' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    hanging: &[' ', '▀', '█'],
    fills: &['█', '░', '▒', '▓', '╱', '┼', '•', '╳'],
    axis: '│',
    tick: '┤',
    origin: '└',
    base_line: '─',
    rule: '─',
    dot: '·',
    from: "←",
};

pub(super) static ASCII: Glyphs = Glyphs {
    levels: &[' ', '.', ':', '#'],
    hanging: &[' ', '\'', '#'],
    fills: &['#', '.', 'o', '+', '/', '=', 'x', '%'],
    axis: '|',
    tick: '+',
    origin: '+',
    base_line: '-',
    rule: '-',
    dot: '-',
    from: "<-",
};

impl Glyphs {
    /// The filling of the area at a place in the drawing order.
    pub(super) fn fill(&self, place: usize) -> char {
        self.fills[place % self.fills.len()]
    }

    /// A sample of that filling, for lists.
    pub(super) fn sample(&self, place: usize) -> String {
        self.fill(place).to_string().repeat(2)
    }
}

/// Replaces the few typographic characters of sentences.
pub(super) fn to_ascii(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '–' | '−' => "-".to_owned(),
            '…' => "...".to_owned(),
            '·' => "*".to_owned(),
            '×' => "x".to_owned(),
            'Σ' => "sum of ".to_owned(),
            'θ' => "theta".to_owned(),
            '’' => "'".to_owned(),
            other => other.to_string(),
        })
        .collect()
}
