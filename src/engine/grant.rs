use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::cluster::JoinGrant;

/// The join grant of a run, from the control plane that gives it to the workers that wait for it.
pub struct Office {
    offer: watch::Sender<Offer>,
    joiners: mpsc::Receiver<()>,
}

/// A worker's end of the office. While one is held, the grant stays good.
#[derive(Clone)]
pub struct Counter {
    offer: watch::Receiver<Offer>,
    _place: mpsc::Sender<()>,
}

#[derive(Clone)]
enum Offer {
    Pending,
    Given(Arc<JoinGrant>),
    Withheld(String),
}

/// An office, and its counter to be cloned for each worker that needs it.
pub fn open() -> (Office, Counter) {
    let (sender, receiver) = watch::channel(Offer::Pending);
    let (place, joiners) = mpsc::channel(1);
    (Office { offer: sender, joiners }, Counter { offer: receiver, _place: place })
}

impl Office {
    /// Gives the grant to all who wait.
    pub fn give(&self, grant: JoinGrant) {
        self.offer.send_replace(Offer::Given(Arc::new(grant)));
    }

    /// Tells all who wait that there will be none.
    pub fn withhold(&self, reason: &str) {
        self.offer.send_if_modified(|offer| {
            let pending = matches!(offer, Offer::Pending);
            if pending {
                *offer = Offer::Withheld(reason.to_owned());
            }
            pending
        });
    }

    /// The grant, if one was given.
    pub fn given(&self) -> Option<Arc<JoinGrant>> {
        match &*self.offer.borrow() {
            Offer::Given(grant) => Some(Arc::clone(grant)),
            Offer::Pending | Offer::Withheld(_) => None,
        }
    }

    /// Waits until nobody holds a counter any more.
    pub async fn all_served(&mut self) {
        while self.joiners.recv().await.is_some() {}
    }
}

impl Counter {
    /// The grant, once there is one.
    ///
    /// # Errors
    /// Why there will be none.
    pub async fn collect(&mut self) -> Result<Arc<JoinGrant>, String> {
        let offer = self.offer.wait_for(|offer| !matches!(offer, Offer::Pending)).await;
        match offer.as_deref() {
            Ok(Offer::Given(grant)) => Ok(Arc::clone(grant)),
            Ok(Offer::Withheld(reason)) => Err(reason.clone()),
            Ok(Offer::Pending) | Err(_) => Err("the control plane gave no join grant".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::open;
    use crate::cluster::JoinGrant;

    fn grant() -> JoinGrant {
        JoinGrant {
            endpoint: "10.0.0.1:6443".to_owned(),
            token: "abcdef.0123456789abcdef".into(),
            ca_cert_hashes: vec![],
        }
    }

    #[tokio::test]
    async fn every_worker_gets_it_and_the_office_knows_when_all_are_through() {
        let (mut office, counter) = open();
        let mut workers: Vec<_> = (0..3).map(|_| counter.clone()).collect();
        drop(counter);
        office.give(grant());
        for worker in &mut workers {
            assert_eq!(worker.collect().await.unwrap().endpoint, "10.0.0.1:6443");
        }
        let last = workers.pop();
        drop(workers);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), office.all_served()).await.is_err());
        drop(last);
        office.all_served().await;
    }

    #[tokio::test]
    async fn a_control_plane_that_failed_or_vanished_leaves_nobody_waiting() {
        let (office, mut counter) = open();
        office.withhold("h1 failed");
        assert_eq!(counter.collect().await.unwrap_err(), "h1 failed");
        let (office, mut counter) = open();
        drop(office);
        assert!(counter.collect().await.is_err());
    }

    #[tokio::test]
    async fn a_grant_that_was_given_is_not_taken_back() {
        let (office, mut counter) = open();
        office.give(grant());
        office.withhold("too late");
        assert!(counter.collect().await.is_ok());
    }
}
