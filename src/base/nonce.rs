/// Sixteen random bytes as hexadecimal digits: a mark that no output can forge.
///
/// # Errors
/// When the system gives no random bytes.
pub fn nonce() -> std::io::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::nonce;

    #[test]
    fn no_two_are_the_same() {
        let (one, two) = (nonce().unwrap(), nonce().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 32);
    }
}
