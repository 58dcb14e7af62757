use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

const SPLIT: &str = "extra_args";
const WHOLE: &str = "extra_arg";

/// The words of `-x` and `-X` for ssh, scp or rsync, in the order in which they stand on the command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub(super) words: Vec<String>,
}

impl Args for Extra {
    fn augment_args(command: Command) -> Command {
        let arg = |id: &'static str, short, long, name| {
            Arg::new(id).short(short).long(long).value_name(name).action(ArgAction::Append).allow_hyphen_values(true)
        };
        command
            .arg(arg(SPLIT, 'x', "extra-args", "ARGS").value_parser(split).help(
                "More arguments for ssh (pscp, pslurp: scp; prsync: rsync), split at blanks as a shell does; repeats",
            ))
            .arg(
                arg(WHOLE, 'X', "extra-arg", "ARG")
                    .value_parser(whole)
                    .help("One more of these arguments, as it is; repeats"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Extra {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut placed: Vec<(usize, &Vec<String>)> = Vec::new();
        for id in [SPLIT, WHOLE] {
            let places = matches.indices_of(id).into_iter().flatten();
            placed.extend(places.zip(matches.get_many::<Vec<String>>(id).into_iter().flatten()));
        }
        placed.sort_by_key(|(place, _)| *place);
        Ok(Self { words: placed.into_iter().flat_map(|(_, words)| words.clone()).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// As Python's `shlex.split`, which pssh uses: a `#` begins no comment, and in double quotes a backslash escapes only `"` and
/// itself.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (Some('"'), '\\') if matches!(characters.peek(), Some('"' | '\\')) => {
                word.get_or_insert_default().extend(characters.next());
            }
            (None, '\\') => match characters.next() {
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err("the last backslash escapes nothing".to_owned()),
            },
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, c) if c.is_ascii_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if quote.is_some() { Err("a quote is not closed".to_owned()) } else { Ok(words) }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that clap wants")]
fn whole(text: &str) -> Result<Vec<String>, String> {
    Ok(vec![text.to_owned()])
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::Extra;

    #[test]
    fn words_keep_their_order() {
        let matches = Extra::augment_args(Command::new("x"))
            .try_get_matches_from(["x", "-x", "-F 'a #b'", "-X", "-o x", "-x", r#"-4 -i\ k #1 "a\"\$" '' "#])
            .unwrap();
        let extra = Extra::from_arg_matches(&matches).unwrap();
        assert_eq!(extra.words, ["-F", "a #b", "-o x", "-4", "-i k", "#1", "a\"\\$", ""]);
        for wrong in ["'a", "\"a", "a\\"] {
            assert!(
                Extra::augment_args(Command::new("x")).try_get_matches_from(["x", "-x", wrong]).is_err(),
                "{wrong}"
            );
        }
    }
}
