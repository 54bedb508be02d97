//! A timer for many short waits: a deadline comes in, and whether it has passed goes out.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Made at the first wait, and set anew only when it rings: most waits end long before their deadline.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready once `deadline` has passed, which may differ from one call to the next.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if deadline <= sleep.deadline() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

/// The end of a wait that begins now. One that no clock can show is as good as none.
pub(super) fn after(time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    Instant::now() + time.min(CENTURY)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Waits for each deadline in turn, in milliseconds from the start, and notes when it rang.
    async fn check(deadlines: &[u64]) {
        let start = Instant::now();
        let mut alarm = Alarm::default();
        let mut now = 0;
        for deadline in deadlines {
            poll_fn(|cx| alarm.poll(cx, start + Duration::from_millis(*deadline))).await;
            now = now.max(*deadline);
            assert_eq!(start.elapsed().as_millis(), u128::from(now), "{deadlines:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_rings_at_each_deadline() {
        check(&[10, 20, 500]).await;
        check(&[10, 10, 5, 10, 30]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_without_an_end_does_not_overflow() {
        let mut alarm = Alarm::default();
        let never = poll_fn(|cx| alarm.poll(cx, after(Duration::MAX)));
        assert!(tokio::time::timeout(Duration::from_secs(1000), never).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moves_moves_the_alarm() {
        let start = Instant::now();
        let mut alarm = Alarm::default();
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            // A later deadline, then a nearer one, as when an idle client begins to send.
            alarm.poll(cx, start + Duration::from_millis(if polls == 1 { 1000 } else { 3000 }))
        })
        .await;
        assert_eq!(start.elapsed().as_millis(), 3000);
        poll_fn(|cx| {
            let far = alarm.poll(cx, start + Duration::from_millis(9000));
            assert!(far.is_pending());
            alarm.poll(cx, start + Duration::from_millis(4000))
        })
        .await;
        assert_eq!(start.elapsed().as_millis(), 4000);
    }
}
