use std::path::Path;

/// What a file is that hosts are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A hosts file of pssh: `[user@]host[:port]`, or `host[:port] user`, one a line.
    Pssh,
    /// An inventory of Ansible as INI.
    AnsibleIni,
    /// An inventory of Ansible as YAML, or JSON, which YAML includes.
    AnsibleYaml,
    /// An ssh_config.
    SshConfig,
}

impl Kind {
    /// What a file most likely is, by its name and by what it says.
    #[must_use]
    pub fn detect(file: &Path, text: &str) -> Self {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if matches!(extension, "yml" | "yaml" | "json") {
            return Self::AnsibleYaml;
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
        lines.find_map(of_line).unwrap_or(if extension == "ini" { Self::AnsibleIni } else { Self::Pssh })
    }

    /// Which of Ansible's two forms a file has.
    #[must_use]
    pub fn of_ansible(file: &Path, text: &str) -> Self {
        match Self::detect(file, text) {
            Self::AnsibleYaml => Self::AnsibleYaml,
            _ => Self::AnsibleIni,
        }
    }
}

/// What a line can only be; most lines of hosts can be several things.
fn of_line(line: &str) -> Option<Kind> {
    let first = line.split(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default();
    let is = |words: &[&str]| words.iter().any(|word| first.eq_ignore_ascii_case(word));
    if line.starts_with("---") || line.starts_with('{') || line.ends_with(':') || line.contains(": ") {
        Some(Kind::AnsibleYaml)
    } else if line.starts_with('[') && line.split('#').next().is_some_and(|section| section.trim_end().ends_with(']')) {
        // `[fd00::1]` alone is a host of pssh.
        let inside = line.trim_start_matches('[').split(']').next().unwrap_or_default();
        Some(if inside.parse::<std::net::Ipv6Addr>().is_ok() { Kind::Pssh } else { Kind::AnsibleIni })
    } else if is(&["host", "match", "include"]) && first.len() < line.len() {
        Some(Kind::SshConfig)
    } else if line.split_whitespace().skip(1).any(|word| word.contains('=')) {
        Some(Kind::AnsibleIni)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Kind;

    #[test]
    fn a_file_is_known_by_its_name_or_by_its_first_telling_line() {
        for (file, text, kind) in [
            ("hosts", "# mine\nnode1\nroot@node2:2222\n", Kind::Pssh),
            ("hosts", "[fd00::1]:2222\n", Kind::Pssh),
            ("hosts", "[fd00::1]\n", Kind::Pssh),
            ("hosts", "", Kind::Pssh),
            ("hosts", "node1\n[web]\nnode1\n", Kind::AnsibleIni),
            ("hosts", "; mine\n[web:children]  # x\n", Kind::AnsibleIni),
            ("hosts", "node1 ansible_host=10.0.0.1\n", Kind::AnsibleIni),
            ("x.ini", "node1\n", Kind::AnsibleIni),
            ("hosts", "---\nall:\n", Kind::AnsibleYaml),
            ("hosts", "all:\n  hosts:\n", Kind::AnsibleYaml),
            ("hosts.yaml", "node1\n", Kind::AnsibleYaml),
            ("config", "User ops\nHost node1\n", Kind::SshConfig),
            ("config", "host=node1\n", Kind::SshConfig),
            ("config", "Include config.d/*\n", Kind::SshConfig),
        ] {
            assert_eq!(Kind::detect(Path::new(file), text), kind, "{file}: {text:?}");
        }
    }
}
