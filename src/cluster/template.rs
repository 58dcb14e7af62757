use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde::Serialize;

/// Renders a YAML template of `templates/`; a name that the context lacks is an error.
///
/// What a `{{ … }}` puts in is a whole scalar: text comes out in double quotes, so that no name can break out of its
/// place. The same scalars are JSON, for the JSON that some ConfigMaps hold.
///
/// # Errors
/// When template and context do not fit, which is a defect of kfleet's and not of its input.
pub(super) fn render(source: &'static str, context: impl Serialize) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
        .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    environment.set_formatter(|out, _, value| {
        match value.kind() {
            ValueKind::Number => write!(out, "{value}")?,
            // minijinja's own are True and False.
            ValueKind::Bool => out.write_str(if value.is_true() { "true" } else { "false" })?,
            ValueKind::String => out.write_str(&scalar(value.as_str().unwrap_or_default()))?,
            other => return Err(Error::new(ErrorKind::BadSerialization, format!("{other} is not a scalar"))),
        }
        Ok(())
    });
    environment.render_str(source, Serde(context))
}

/// `text` as a scalar that YAML and JSON read alike.
///
/// Beside JSON's own escapes, everything that a YAML reader refuses or takes for the end of a line is escaped.
fn scalar(text: &str) -> String {
    let mut scalar = String::with_capacity(text.len() + 2);
    scalar.push('"');
    for c in text.chars() {
        match c {
            '"' => scalar.push_str("\\\""),
            '\\' => scalar.push_str("\\\\"),
            '\n' => scalar.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                scalar.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => scalar.push(c),
        }
    }
    scalar.push('"');
    scalar
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{render, scalar};

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_place(text in any::<String>()) {
            let document = format!("a: {}\nb: 1\n", scalar(&text));
            let parsed: serde_json::Value = serde_saphyr::from_str(&document).unwrap();
            prop_assert_eq!(parsed, json!({ "a": text, "b": 1 }));
            prop_assert_eq!(serde_json::from_str::<String>(&scalar(&text)).unwrap(), text);
        }
    }

    #[test]
    fn numbers_and_truth_are_bare() {
        assert_eq!(
            render("{{ a }} {{ b }} {{ c }}", json!({ "a": 6443, "b": true, "c": false })).unwrap(),
            "6443 true false"
        );
    }

    #[test]
    fn a_name_that_is_not_there_is_an_error() {
        assert!(render("{{ nowhere }}", json!({})).is_err());
        assert!(render("{{ list }}", json!({ "list": [1] })).is_err());
    }
}
