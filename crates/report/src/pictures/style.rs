//! How all pictures look.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) const WIDTH: u32 = 760;
/// Height of the title.
pub(super) const TITLE: u32 = 44;
/// Height of a line of the legend.
pub(super) const LEGEND_LINE: u32 = 24;
/// Blank at the left, up to the axis.
pub(super) const LEFT: u32 = 64;
/// Blank at the right and the bottom.
pub(super) const MARGIN: u32 = 24;

const FONT: &str = "sans-serif";
pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);
pub(super) const INK: RGBColor = RGBColor(36, 41, 47);
pub(super) const FAINT: RGBColor = RGBColor(101, 109, 118);
pub(super) const RULE: RGBColor = RGBColor(208, 215, 222);

/// Fillings that stay apart in print, on screens and for colour-blind eyes; repeated for more models.
const COLOURS: [RGBColor; 8] = [
    RGBColor(47, 109, 181),
    RGBColor(242, 169, 59),
    RGBColor(58, 163, 135),
    RGBColor(200, 85, 61),
    RGBColor(142, 107, 191),
    RGBColor(122, 135, 148),
    RGBColor(184, 196, 60),
    RGBColor(224, 123, 164),
];

/// What drawing into a string returns; it cannot fail but in plotters' types.
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(super) fn colour(place: usize) -> RGBColor {
    COLOURS[place % COLOURS.len()]
}

pub(super) fn text(
    size: f64,
    colour: RGBColor,
    horizontal: HPos,
    vertical: VPos,
) -> TextStyle<'static> {
    TextStyle {
        font: (FONT, size).into_font(),
        color: colour.to_backend_color(),
        pos: Pos::new(horizontal, vertical),
    }
}

/// The title of a picture.
pub(super) fn draw_title(area: &Area<'_>, title: &str) -> Drawn {
    let style = text(22.0, INK, HPos::Left, VPos::Top);
    area.draw(&Text::new(title, (LEFT as i32, 16), style))?;
    Ok(())
}

/// A line of the legend below the title: a colour and whose it is.
pub(super) fn draw_legend_line(area: &Area<'_>, line: usize, place: usize, label: &str) -> Drawn {
    let (x, y) = (LEFT as i32, (TITLE + line as u32 * LEGEND_LINE) as i32);
    area.draw(&Rectangle::new(
        [(x, y + 3), (x + 14, y + 17)],
        colour(place).filled(),
    ))?;
    let style = text(17.0, INK, HPos::Left, VPos::Center);
    area.draw(&Text::new(label.to_owned(), (x + 22, y + 10), style))?;
    Ok(())
}

/// The name of a chart, above it.
pub(super) fn draw_name(area: &Area<'_>, name: &str) -> Drawn {
    let mut style = text(16.0, INK, HPos::Left, VPos::Top);
    style.font = style.font.style(FontStyle::Bold);
    area.draw(&Text::new(shortened(name), (LEFT as i32, 6), style))?;
    Ok(())
}

/// A text that fits the picture's width.
pub(super) fn shortened(label: &str) -> String {
    const LONGEST: usize = 72;
    if label.chars().count() <= LONGEST {
        return label.to_owned();
    }
    let start: String = label.chars().take(LONGEST - 1).collect();
    format!("{start}…")
}
