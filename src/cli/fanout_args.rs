use std::time::Duration;

/// How many hosts at once and how long each may take, for every command that does one thing on many.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Command")]
pub(super) struct FanoutArgs {
    /// How many hosts are worked on at once
    #[arg(short, long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    parallel: u16,

    /// The longest that a host may take, connecting included; what still runs there then is ended. 0 is as long as it takes
    #[arg(short, long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    timeout: Duration,
}

impl FanoutArgs {
    /// How many hosts are worked on at once.
    pub(super) fn parallel(&self) -> usize {
        self.parallel.into()
    }

    /// The longest that a host may take.
    pub(super) fn limit(&self) -> Option<Duration> {
        Some(self.timeout).filter(|limit| !limit.is_zero())
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is wanted".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
