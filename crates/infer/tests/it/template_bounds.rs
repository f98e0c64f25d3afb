//! Templates that want too much: each ends with an error that says which bound it met.

#![allow(
    clippy::default_trait_access,
    reason = "the type of special tokens is of no interest here"
)]

use std::time::{Duration, Instant};

use weightsmith_infer::text::SpecialTokens;
use weightsmith_infer::{ChatTemplate, Message, TemplateOptions};

const DEEP: &str = "deep";
const LARGE: &str = "it makes a text or value of more than 16 MiB";
const MADE: &str = "it makes more than 128 MiB of values";
const STEPS: &str = " steps (line ";
const CALLS: &str = "call each other more than";
const WHOLE: &str = "a whole number of more than 128 bits";

/// Long enough for a busy machine; alone, the slowest takes a second.
const PATIENCE: Duration = Duration::from_secs(20);

fn outcome(source: &str) -> Result<String, String> {
    ChatTemplate::new(source, "t", SpecialTokens::default())
        .and_then(|template| {
            template.render(&[Message::new("user", "Hi")], &TemplateOptions::default())
        })
        .map_err(|error| error.to_string())
}

/// Each template ends with its error, on a thread with no more stack than servers give theirs.
fn all_end(cases: Vec<(&'static str, String, &'static str)>) {
    let run = move || {
        for (name, source, expected) in cases {
            let begin = Instant::now();
            match outcome(&source) {
                Ok(text) => panic!("{name}: no error, but {} bytes", text.len()),
                Err(error) => assert!(error.contains(expected), "{name}: {error:.300}"),
            }
            assert!(begin.elapsed() < PATIENCE, "{name}: {:?}", begin.elapsed());
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run);
    if let Err(panic) = thread.unwrap().join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn sources_are_bounded_in_length_and_nesting() {
    let many = |text: &str, times: usize| text.repeat(times);
    all_end(vec![
        ("long", many("x", 300_000), "templates may have 256 KiB"),
        ("-", format!("{{{{ {}1 }}}}", many("-", 200_000)), DEEP),
        ("not", format!("{{{{ {}1 }}}}", many("not ", 60_000)), DEEP),
        (
            "(",
            format!("{{{{ {}1{} }}}}", many("(", 100_000), many(")", 100_000)),
            DEEP,
        ),
        (
            "[",
            format!("{{{{ {}{} }}}}", many("[", 100_000), many("]", 100_000)),
            DEEP,
        ),
        (
            "{",
            format!("{{{{ {}1{} }}}}", many("{1:", 40_000), many("}", 40_000)),
            DEEP,
        ),
        (
            "f(",
            format!("{{{{ {}{} }}}}", many("f(", 80_000), many(")", 80_000)),
            DEEP,
        ),
        (
            "a[",
            format!("{{{{ {}1{} }}}}", many("a[", 80_000), many("]", 80_000)),
            DEEP,
        ),
        (
            "|f(",
            format!("{{{{ {}1{} }}}}", many("1|d(", 50_000), many(")", 50_000)),
            DEEP,
        ),
        (
            "is",
            format!(
                "{{{{ {}1{} }}}}",
                many("1 is eq(", 25_000),
                many(")", 25_000)
            ),
            DEEP,
        ),
        ("{{", many("{{ ", 80_000), DEEP),
        ("if", many("{% if 1 %}", 25_000), DEEP),
        ("for", many("{% for x in y %}", 15_000), DEEP),
        ("macro", many("{% macro f() %}", 16_000), DEEP),
        ("call", many("{% call f() %}", 16_000), DEEP),
        ("set", many("{% set a %}", 20_000), DEEP),
        ("targets", format!("{{% set {}", many("(", 200_000)), DEEP),
        (
            "if without else",
            format!("{{{{ 1{} }}}}", many(" if 1", 50_000)),
            "without `else`",
        ),
        ("raw", many("{% raw %}", 28_000), "`raw` without `endraw`"),
        ("digits", format!("{{{{ {} }}}}", many("9", 200_000)), WHOLE),
    ]);
}

/// What is long without being deep is parsed, run and dropped; on servers' threads too.
#[test]
fn long_chains_are_no_deep_trees() {
    for (first, link, times, expected) in [
        ("1", "+1", 100_000, "100001"),
        ("1", "~''", 60_000, "1"),
        ("1", "**1", 80_000, "1"),
        ("1", "|string", 30_000, "1"),
        ("1", " and 1", 40_000, "1"),
        ("1", " if 1 else 1", 20_000, "1"),
        ("''", " ''", 80_000, ""),
    ] {
        let source = format!("{{{{ {first}{} }}}}", link.repeat(times));
        let thread = std::thread::spawn(move || outcome(&source));
        assert_eq!(thread.join().unwrap().as_deref(), Ok(expected), "{link}");
    }
    for link in [".a", "[0]", "()"] {
        let source = format!("{{{{ a{} }}}}", link.repeat(80_000));
        let error = outcome(&source).unwrap_err();
        assert!(error.contains("`a` is undefined"), "{error}");
    }
    let elif = format!(
        "{{% if 0 %}}{}{{% else %}}x{{% endif %}}",
        "{% elif 0 %}".repeat(20_000)
    );
    assert_eq!(outcome(&elif).as_deref(), Ok("x"));
}

/// A value that contains the last one, a hundred thousand times.
fn wrapped(first: &str, next: &str, last: &str) -> String {
    format!(
        "{{% set n = namespace(v={first}) %}}{{% for i in range(100000) %}}{{% set n.v = {next} %}}{{% endfor %}}{last}"
    )
}

#[test]
fn values_are_bounded_in_depth() {
    let mut cases: Vec<_> = [
        ("list", "[]", "[n.v]"),
        ("tuple", "()", "(n.v,)"),
        ("dict", "{}", "{'a': n.v}"),
        ("cycler", "1", "cycler(n.v)"),
        ("joiner", "1", "joiner(n.v)"),
        ("method", "[]", "[n.v].index"),
        ("view", "[]", "{1: n.v}.items()"),
        ("generator", "[]", "[n.v] | select('defined')"),
        ("reversed", "[]", "[n.v] | reverse"),
        ("group", "[{}]", "[{'a': n.v}] | groupby('b')"),
        ("varargs", "1", "dict(a=n.v)"),
    ]
    .map(|(name, first, next)| (name, wrapped(first, next, "x"), DEEP))
    .into();
    cases.push((
        "two that are compared",
        "{% set n = namespace(v=[], w=[]) %}{% for i in range(100000) %}{% set n.v = [n.v] %}{% set n.w = [n.w] %}{% endfor %}{{ n.v == n.w }}".to_owned(),
        DEEP,
    ));
    cases.push((
        "namespaces",
        wrapped("1", "m", "{{ n }}")
            .replace("{% set n.v", "{% set m = namespace(p=n.v) %}{% set n.v"),
        DEEP,
    ));
    all_end(cases);
    assert_eq!(
        outcome("{% set n = namespace() %}{% set n.x = [n] %}{{ n }}").as_deref(),
        Ok("<Namespace {'x': [<Namespace {...}>]}>")
    );
}

#[test]
fn calls_are_bounded_in_depth() {
    let case = |name, source: &str| (name, source.to_owned(), CALLS);
    all_end(vec![
        case("macro", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
        case("default", "{% macro f(a=f()) %}{% endmacro %}{{ f() }}"),
        case(
            "two",
            "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{% if 1 %}{{ f() }}{% endif %}{% endmacro %}{{ f() }}",
        ),
        case(
            "call",
            "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{{ f() }}",
        ),
        case(
            "loop",
            "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        ),
        case(
            "deep bodies",
            &format!(
                "{{% macro f() %}}{}{{{{ ({}f(){}) }}}}{}{{% endmacro %}}{{{{ f() }}}}",
                "{% if 1 %}{% for x in [1] %}".repeat(14),
                "[".repeat(30),
                "]".repeat(30),
                "{% endfor %}{% endif %}".repeat(14),
            ),
        ),
    ]);
}

#[test]
fn texts_and_values_are_bounded_in_size() {
    let case = |source: &str| ("size", source.to_owned(), LARGE);
    let mut cases: Vec<_> = [
        "{{ 'a' * 10 ** 18 }}",
        "{{ [0] * 100000000 }}",
        "{{ (0,) * 10 ** 18 }}",
        "{{ [1] | tojson(indent=100000000000) }}",
        "{{ [[[1]]] | tojson(indent=16000000) }}",
        "{{ 'a\\nb' | indent(100000000000) }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '%99999999999999999999999999999999999999999999d' % 1 }}",
        "{{ '%*d' % (10 ** 12, 1) }}",
        "{{ '%.1000000000f' % 1.5 }}",
        "{{ '%.1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ '{:.1000000000f}'.format(1.5) }}",
        "{{ '{:0900000000,}'.format(1) }}",
        "{{ '{:{}}'.format(1, 10 ** 12) }}",
        "{{ ('%1000000d' * 100) % ((1,) * 100) }}",
        "{{ 'a'.center(10 ** 12) }}",
        "{{ 'a'.ljust(10 ** 12) }}",
        "{{ 'a'.rjust(10 ** 12, 'b') }}",
        "{{ 'a'.zfill(10 ** 12) }}",
        "{{ 'a' | center(10 ** 12) }}",
        "{{ '\\t'.expandtabs(10 ** 12) }}",
        "{{ ('x' * 100000) | replace('x', 'y' * 100000) }}",
        "{{ ('x' * 100000).replace('', 'y' * 100000) }}",
        "{{ (['x'] * 1000) | join('y' * 1000000) }}",
        "{{ ('y' * 1000000).join(['x'] * 1000) }}",
        "{{ [1] | batch(10 ** 12, 0) | list }}",
        "{{ [1] | slice(10 ** 12) | list }}",
        "{{ ('x ' * 1000) | wordwrap(1, wrapstring='y' * 100000) }}",
        "{{ ('a' * 1000000) | list }}",
        "{{ ('a' * 10000).translate({97: 'b' * 1000000}) }}",
        "{{ ('&' * 10000000) | e }}",
        "{{ ('ab' * 9000000) ~ 'c' }}",
        "{{ ('a' * 10000000).encode().hex() }}",
        "{% set n = namespace(v='x') %}{% for i in range(60) %}{% set n.v = n.v ~ n.v %}{% endfor %}",
        "{% set n = namespace(v=[0]) %}{% for i in range(60) %}{% set n.v = n.v + n.v %}{% endfor %}",
        "{% set n = namespace(v=namespace()) %}{% for i in range(60) %}{% set m = namespace(a=n.v, b=n.v) %}{% set n.v = m %}{% endfor %}{{ n.v }}",
        "{% for i in range(99999) %}{{ 'x' * 100000 }}{% endfor %}",
        "{% filter upper %}{% for i in range(99999) %}{{ 'x' * 100000 }}{% endfor %}{% endfilter %}",
    ]
    .map(case)
    .into();
    cases.extend([
        // the text or the steps, whatever ends first
        ("macros within macros", "{% macro f(n) %}{{ 'x' * 1000000 }}{{ f(n - 1) if n }}{% endmacro %}{{ f(30) }}".to_owned(), "more than"),
        ("formats that double", "{% set n = namespace(v='{0}{0}') %}{% for i in range(60) %}{% set n.v = n.v.format(n.v) %}{% endfor %}".to_owned(), "more than"),
        ("shared values", "{% set n = namespace(v=['x']) %}{% for i in range(60) %}{% set n.v = [n.v, n.v] %}{% endfor %}{{ n.v }}".to_owned(), "more than"),
        ("shared values", "{% set n = namespace(v=['x']) %}{% for i in range(60) %}{% set n.v = [n.v, n.v] %}{% endfor %}{{ n.v | tojson }}".to_owned(), "more than"),
        ("shared values", "{% set n = namespace(v=['x']) %}{% for i in range(60) %}{% set n.v = [n.v, n.v] %}{% endfor %}{{ n.v is lower }}".to_owned(), "more than"),
        ("power", "{{ 9 ** 10 ** 9 }}".to_owned(), WHOLE),
        (
            "range",
            "{{ range(10 ** 30) }}".to_owned(),
            "a range of more than",
        ),
        (
            "time",
            "{{ strftime_now('%Y' * 1000000) }}".to_owned(),
            "the format of a time",
        ),
        ("many texts", wrapped("''", "'x' * 1000000", ""), MADE),
    ]);
    all_end(cases);
}

#[test]
fn steps_are_bounded() {
    let case = |source: &str| ("steps", source.to_owned(), STEPS);
    all_end(vec![
        case("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"),
        case(
            "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(35) }}",
        ),
        case(
            "{% set n = namespace(v=['x'], w=['x']) %}{% for i in range(60) %}{% set n.v = [n.v, n.v] %}{% set n.w = [n.w, n.w] %}{% endfor %}{{ n.v == n.w }}",
        ),
        case("{% set s = 'é' * 8000000 %}{% for i in range(99999) %}{{ s[i] }}{% endfor %}"),
        case("{% set l = range(99999) | list %}{% for i in l %}{{ 'x' in l }}{% endfor %}"),
    ]);
}

/// A template that may do what it likes is still one that real templates are.
#[test]
fn a_long_conversation_is_no_bomb() {
    let source = "{% for m in messages %}{{ '<|' ~ m.role ~ '|>' }}{{ m['content'] | trim }}{% if loop.last %}.{% endif %}{% endfor %}";
    let template = ChatTemplate::new(source, "t", SpecialTokens::default()).unwrap();
    let messages: Vec<Message> = (0..5000)
        .map(|_| Message::new("user", &"word ".repeat(800)))
        .collect();
    let text = template
        .render(&messages, &TemplateOptions::default())
        .unwrap();
    assert_eq!(text.len(), 5000 * ("<|user|>".len() + 3999) + 1);
}
