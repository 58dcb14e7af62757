/// A sysctl's key in its dotted form: `net/ipv4/conf/eth0.5/rp_filter` is another way to write `net.ipv4.conf.eth0/5.rp_filter`.
///
/// As sysctl.d(5) has it: the sign that comes first parts the key, and the other one stands for itself.
#[must_use]
pub fn dotted_sysctl(key: &str) -> String {
    if !key.find(['.', '/']).is_some_and(|at| key[at..].starts_with('/')) {
        return key.to_owned();
    }
    let swapped = |c| match c {
        '/' => '.',
        '.' => '/',
        c => c,
    };
    key.chars().map(swapped).collect()
}
