use super::answer::Answer;
use crate::base::wildcard;

/// The variables that are sent to the host: those of `variables` that `SendEnv` names, and then those of `SetEnv`.
pub(super) fn environment(answer: &Answer, variables: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let is_wanted = |(name, _): &(String, String)| {
        answer.all("sendenv").iter().any(|pattern| wildcard(pattern.as_bytes(), name.as_bytes()))
    };
    let set = answer.all("setenv").iter().filter_map(|variable| variable.split_once('='));
    let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
    variables.filter(is_wanted).chain(set).collect()
}

/// This process's variables, as far as they are text.
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::super::answer::Answer;
    use super::environment;

    #[test]
    fn variables_are_chosen_by_patterns_and_made() {
        let answer = Answer::read("sendenv LANG\nsendenv LC_*\nsendenv B?\nsetenv LANG=C\nsetenv A=b c=d\n");
        let own = ["LANG", "LC_ALL", "lc_all", "XLANG", "B", "BB"].map(|name| (name.to_owned(), "own".to_owned()));
        let sent = environment(&answer, own.into_iter());
        let shown: Vec<String> = sent.iter().map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(shown, ["LANG own", "LC_ALL own", "BB own", "LANG C", "A b c=d"]);
    }
}
