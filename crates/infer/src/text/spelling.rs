//! What each token adds to a text, in letters and in bytes.

use tokenizers::DecoderWrapper;

use super::Tokenizer;

/// What a token adds to a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spelling {
    /// Its characters: those that end in it.
    pub text: String,
    /// Its bytes, which may be a part of a character.
    pub bytes: Vec<u8>,
}

impl Tokenizer {
    /// What each of some tokens adds to `text`, which they make together as a [`super::TextStream`] tells it.
    ///
    /// The texts joined are `text`, and so are the bytes, but where `text` has replacement characters: there the bytes are
    /// those that make no character.
    pub fn spell(&self, tokens: &[u32], text: &str, skip_special: bool) -> Vec<Spelling> {
        let whole = !text.contains(char::REPLACEMENT_CHARACTER);
        if let ([_], true) = (tokens, whole) {
            return vec![Spelling {
                text: text.to_owned(),
                bytes: text.as_bytes().to_vec(),
            }];
        }
        let pieces: Vec<Vec<u8>> = tokens
            .iter()
            .map(|&token| {
                if skip_special && self.is_special(token) {
                    Vec::new()
                } else {
                    self.piece(token)
                }
            })
            .collect();
        let bytes = pieces.concat();
        if whole && bytes == text.as_bytes() {
            return by_characters(pieces, text);
        }
        let mut spelled = vec![Spelling::default(); tokens.len()];
        let alike = !whole && certain(&String::from_utf8_lossy(&bytes)) == certain(text);
        if alike {
            for (one, bytes) in spelled.iter_mut().zip(pieces) {
                one.bytes = bytes;
            }
        }
        // what nobody can part is what the last one brought
        if let Some(last) = spelled.last_mut() {
            text.clone_into(&mut last.text);
            if !alike {
                last.bytes = text.as_bytes().to_vec();
            }
        }
        spelled
    }

    /// The bytes of a token within a text, whatever stands before it.
    pub fn piece(&self, token: u32) -> Vec<u8> {
        let Some(name) = self.name(token) else {
            return Vec::new();
        };
        if self.decodes_with(&|decoder| matches!(decoder, DecoderWrapper::ByteLevel(_))) {
            let bytes: Option<Vec<u8>> = name.chars().map(byte_of).collect();
            return bytes.unwrap_or_else(|| name.into_bytes());
        }
        if let Some(byte) = fallback_byte(&name)
            && self.decodes_with(&|decoder| matches!(decoder, DecoderWrapper::ByteFallback(_)))
        {
            return vec![byte];
        }
        let decoded = |tokens: &[u32]| self.decode(tokens, false).unwrap_or_default();
        let anchor = self.anchor.get_or_init(|| {
            let token = self.encode("a", false).ok()?.last().copied()?;
            (!decoded(&[token]).is_empty()).then_some(token)
        });
        match anchor {
            Some(anchor) => {
                let before = decoded(&[*anchor]);
                let both = decoded(&[*anchor, token]);
                match both.strip_prefix(before.as_str()) {
                    Some(text) => text.as_bytes().to_vec(),
                    None => decoded(&[token]).into_bytes(),
                }
            }
            None => decoded(&[token]).into_bytes(),
        }
    }

    /// Whether a token is one that is not shown, such as an end of text.
    pub fn is_special(&self, token: u32) -> bool {
        let added = self.inner.get_added_vocabulary();
        let name = added.simple_id_to_token(token);
        name.is_some_and(|name| added.is_special_token(&name))
    }

    /// Whether a token was added to the model's vocabulary.
    pub(super) fn is_added(&self, token: u32) -> bool {
        let added = self.inner.get_added_vocabulary();
        added.simple_id_to_token(token).is_some()
    }

    fn decodes_with(&self, wanted: &dyn Fn(&DecoderWrapper) -> bool) -> bool {
        fn any(decoder: &DecoderWrapper, wanted: &dyn Fn(&DecoderWrapper) -> bool) -> bool {
            match decoder {
                DecoderWrapper::Sequence(list) => {
                    list.get_decoders().iter().any(|one| any(one, wanted))
                }
                one => wanted(one),
            }
        }
        self.inner
            .get_decoder()
            .is_some_and(|decoder| any(decoder, wanted))
    }
}

/// Gives each piece the characters that end in it.
fn by_characters(pieces: Vec<Vec<u8>>, text: &str) -> Vec<Spelling> {
    let (mut end, mut begun) = (0, 0);
    pieces
        .into_iter()
        .map(|bytes| {
            end += bytes.len();
            let until = text.floor_char_boundary(end);
            let text = text[begun..until].to_owned();
            begun = until;
            Spelling { text, bytes }
        })
        .collect()
}

/// A text without replacement characters, of which decoders make different numbers.
fn certain(text: &str) -> String {
    text.replace(char::REPLACEMENT_CHARACTER, "")
}

/// The byte that a letter of GPT-2's alphabet stands for: printable ones for themselves, the others from U+0100 on.
fn byte_of(letter: char) -> Option<u8> {
    let code = u32::from(letter);
    let byte = match code {
        0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF => code,
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7F,
        0x143 => 0xAD,
        _ => return None,
    };
    u8::try_from(byte).ok()
}

/// The byte of a token such as `<0x0A>`.
fn fallback_byte(name: &str) -> Option<u8> {
    let digits = name.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2)
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{TextStream, samples};
    use super::*;

    /// What a stream of tokens shows, and the spellings of its tokens.
    fn streamed(tokenizer: &Tokenizer, prompt: &[u32], tokens: &[u32]) -> (String, Vec<Spelling>) {
        let mut stream = TextStream::new(prompt, true);
        let (mut whole, mut spelled, mut group) = (String::new(), Vec::new(), Vec::new());
        for &token in tokens {
            group.push(token);
            let text = stream.push(tokenizer, token).unwrap();
            if !text.is_empty() {
                spelled.extend(tokenizer.spell(&group, &text, true));
                group.clear();
            }
            whole += &text;
        }
        let rest = stream.finish(tokenizer).unwrap();
        spelled.extend(tokenizer.spell(&group, &rest, true));
        (whole + &rest, spelled)
    }

    fn joined(spelled: &[Spelling]) -> (String, Vec<u8>) {
        let texts = spelled.iter().map(|one| one.text.as_str()).collect();
        let bytes = spelled.iter().flat_map(|one| one.bytes.clone()).collect();
        (texts, bytes)
    }

    #[test]
    fn the_bytes_of_a_character_come_one_by_one() {
        let tokenizer = samples::byte_fallback();
        let names = [
            "▁Hello", "▁", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "▁world", "<0x0A>", "!",
        ];
        let tokens = names.map(|name| tokenizer.token(name).unwrap());
        let before = tokenizer.token("!").unwrap();
        let (text, spelled) = streamed(&tokenizer, &[before], &tokens);
        assert_eq!(text, " Hello 😀 world\n!");
        let texts: Vec<&str> = spelled.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(
            texts,
            [" Hello", " ", "", "", "", "😀", " world", "\n", "!"]
        );
        assert_eq!(spelled[2].bytes, [0xF0]);
        assert_eq!(spelled[5].bytes, [0x80]);
        assert_eq!(spelled[7].bytes, [0x0A]);
    }

    #[test]
    fn blanks_of_sentence_pieces_are_blanks() {
        for scheme in ["always", "first"] {
            let tokenizer = samples::metaspace(scheme);
            let names = [
                "▁Hello",
                "▁",
                ",",
                "▁world",
                "!",
                "▁▁",
                "▁Grüße",
                "\n",
                "▁it",
                "'",
                "s",
            ];
            let tokens = names.map(|name| tokenizer.token(name).unwrap());
            let (text, spelled) = streamed(&tokenizer, &[tokens[4]], &tokens);
            assert_eq!(text, " Hello , world!   Grüße\n it's");
            assert_eq!(joined(&spelled), (text.clone(), text.into_bytes()));
            assert_eq!(tokenizer.piece(tokens[3]), b" world");
            assert_eq!(tokenizer.piece(tokens[5]), b"  ");
        }
    }

    #[test]
    fn pieces_of_words_have_no_marks() {
        let tokenizer = samples::word_piece();
        let token = |name: &str| tokenizer.token(name).unwrap();
        assert_eq!(tokenizer.piece(token("##ld")), b"ld");
        assert_eq!(tokenizer.piece(token("world")), b" world");
    }

    #[test]
    fn every_byte_has_its_letter() {
        let byte_level = samples::byte_level();
        let mut found: Vec<u8> = (0..byte_level.vocabulary() as u32)
            .map(|token| byte_level.piece(token))
            .filter_map(|bytes| <[u8; 1]>::try_from(bytes).ok())
            .map(|[byte]| byte)
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn broken_characters_keep_their_bytes() {
        let tokenizer = samples::byte_fallback();
        let tokens = ["<0xF0>", "<0x9F>", "a"].map(|name| tokenizer.token(name).unwrap());
        let (text, spelled) = streamed(&tokenizer, &[1], &tokens);
        assert!(text.ends_with('a'), "{text}");
        assert_eq!(joined(&spelled), (text, vec![0xF0, 0x9F, b'a']));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn joined_they_are_the_text(
            text in "([a-zA-Z ,.!?éü😀€\n]|Hello|world|</s>){0,40}",
            drawn in proptest::collection::vec(0_u32..320, 0..24),
        ) {
            for (name, tokenizer) in samples::all() {
                let spoken = tokenizer.encode(&text, false).unwrap();
                let (text, spelled) = streamed(&tokenizer, &[5], &spoken);
                prop_assert_eq!(spelled.len(), spoken.len());
                let (texts, bytes) = joined(&spelled);
                prop_assert_eq!(&texts, &text, "{}", name);
                prop_assert_eq!(bytes, text.into_bytes(), "{}", name);
                // whatever a model says
                let size = tokenizer.vocabulary() as u32;
                let drawn: Vec<u32> = drawn.iter().map(|token| token % size).collect();
                let (text, spelled) = streamed(&tokenizer, &[5], &drawn);
                let (texts, bytes) = joined(&spelled);
                prop_assert_eq!(&texts, &text, "{}", name);
                prop_assert_eq!(certain(&String::from_utf8_lossy(&bytes)), certain(&text), "{}", name);
            }
        }
    }
}
