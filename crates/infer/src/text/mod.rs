//! Between text and tokens: the tokenizer, streaming, chat templates.

mod companions;
mod isolation;
mod jinja;
mod long;
#[cfg(test)]
pub(crate) mod samples;
mod special;
mod spelling;
mod stop;
mod stream;
mod template;
mod tokenizer;
mod tokenizer_bounds;
mod turn;
mod within;

pub use companions::Companions;
pub use isolation::{TemplateCommand, template_process, use_template_process};
pub use spelling::Spelling;
pub use stop::StopFilter;
pub use stream::TextStream;
pub use template::{ChatTemplate, Message, TemplateOptions};
pub use tokenizer::{SpecialTokens, Tokenizer};
