//! Between text and tokens: the tokenizer, streaming, chat templates.

mod companions;
mod jinja;
mod stop;
mod stream;
mod template;
mod tokenizer;
mod turn;

pub use companions::Companions;
pub use stop::StopFilter;
pub use stream::TextStream;
pub use template::{ChatTemplate, Message, TemplateOptions};
pub use tokenizer::{SpecialTokens, Tokenizer};
