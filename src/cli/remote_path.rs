/// A path on the hosts as a person writes it: `~` is where a login starts, as what does not begin with `/` is anyway. `./~` is
/// called so.
///
/// # Errors
/// With what a person is told; also where it names a host as scp's paths do, which would be a directory of that name.
pub(super) fn remote_path(text: &str) -> Result<String, String> {
    if let Some((host, path)) = text.split_once(':')
        && !host.contains('/')
        && path.starts_with(['/', '~'])
    {
        return Err(format!(
            "`{text}` names a host: hosts are chosen by --hosts, and this is only the path, `{path}`; a file of that name is \
             `./{text}`"
        ));
    }
    let Some(rest) = text.strip_prefix('~') else { return Ok(text.to_owned()) };
    match rest.strip_prefix('/') {
        Some(below) if below.trim_start_matches('/').is_empty() => Ok("./".to_owned()),
        Some(below) => Ok(below.trim_start_matches('/').to_owned()),
        None if rest.is_empty() => Ok(".".to_owned()),
        None => {
            let user = rest.split('/').next().unwrap_or_default();
            Err(format!(
                "`~{user}` is not looked up on the hosts: write the whole path of that home; a file of that name is `./~{user}`"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::remote_path;

    #[test]
    fn a_tilde_is_the_home_of_who_logs_in() {
        for (text, path) in [
            ("~", Some(".")),
            ("~/", Some("./")),
            ("~//", Some("./")),
            ("~/a/~", Some("a/~")),
            ("~//etc/passwd", Some("etc/passwd")),
            ("./~", Some("./~")),
            ("a~", Some("a~")),
            ("/a", Some("/a")),
            ("~root", None),
            ("~root/a", None),
            ("node1:/etc", None),
            ("node1:~/x", None),
            ("./node1:/etc", Some("./node1:/etc")),
            ("12:30", Some("12:30")),
            ("/a:/b", Some("/a:/b")),
        ] {
            assert_eq!(remote_path(text).ok().as_deref(), path, "{text}");
        }
        assert!(remote_path("~ops/x").unwrap_err().starts_with("`~ops` is not looked up"));
    }
}
