use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// When the host that has the lock was last heard of, on a clock that goes on while this machine sleeps.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<AtomicU64>);

/// The lock is given up when no sign of life that was sent this long ago was answered: well before the host lets go.
pub const DOUBT: Duration = Duration::from_secs(30);

/// macOS's monotonic clock goes on by itself.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

impl Pulse {
    /// Heard of at this time, as [`now`](Self::now) tells it.
    pub fn heard(at: Duration) -> Self {
        let pulse = Self(Arc::default());
        pulse.hear(at);
        pulse
    }

    /// Notes that a sign of life that was sent then was answered.
    pub fn hear(&self, at: Duration) {
        self.0.store(u64::try_from(at.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether the host may have let go meanwhile.
    pub fn is_doubtful(&self) -> bool {
        Self::now().saturating_sub(Duration::from_millis(self.0.load(Ordering::Relaxed))) > DOUBT
    }

    /// The time on a clock that stands still never.
    pub fn now() -> Duration {
        let time = clock_gettime(CLOCK);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}
