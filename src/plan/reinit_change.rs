use std::net::IpAddr;

use crate::doctor::Finding;
use crate::events::Severity;
use crate::facts::{Facts, Kubeconfig, endpoint_address};
use crate::steps::{AddressChange, ReinitProgress};

use super::reinit_addresses::{is_of_its_own, own_addresses};
use super::{Fleet, Reinit};

/// Which address takes the place of which.
impl Reinit {
    /// The address of kubeconfigs that stays what it is: an endpoint that is an address of its own.
    fn endpoint(&self) -> Option<IpAddr> {
        self.inventory.cluster.endpoint.as_deref().and_then(endpoint_address)
    }

    /// The address that admin.conf asks, where nothing that belongs to this control plane alone has it, and nobody has
    /// said what it is.
    pub(super) fn standing_endpoint(&self, facts: &Facts) -> Option<IpAddr> {
        if self.options.rollback || !self.options.from.is_empty() {
            return None;
        }
        let asked =
            facts.kubeadm.kubeconfigs.get("admin")?.address().filter(|asked| Some(*asked) != self.endpoint())?;
        let to = facts.announced(self.inventory.cluster.advertise_address, self.inventory.control_plane().ip());
        let kept = ReinitProgress::of(facts).is_some_and(|kept| kept.to == asked || kept.from.contains(&asked));
        let is_own = asked.is_loopback() || Some(asked) == to || kept || is_of_its_own(facts, asked);
        (!is_own).then_some(asked)
    }

    /// What becomes what; or why that cannot be told.
    pub(super) fn change(&self, fleet: &Fleet) -> Result<AddressChange, Finding> {
        let host = self.inventory.control_plane();
        let finding = |check, reason: String| Finding::of_host(&host.name, Severity::Error, check, reason);
        let facts = self.control_plane(fleet);
        if let Some(facts) = facts.filter(|_| self.options.rollback) {
            return Self::taken_back(facts).map_err(|(reason, hint)| finding("rollback", reason).with_hint(hint));
        }
        let to = facts.and_then(|facts| facts.announced(self.inventory.cluster.advertise_address, host.ip()));
        let (Some(facts), Some(to)) = (facts, to) else {
            let reason = "its new address is not known".to_owned();
            return Err(finding("new-address", reason).with_hint("give it by --address, or as the host's `address`"));
        };
        if !self.options.from.is_empty() {
            return Ok(AddressChange { from: self.options.from.clone(), to });
        }
        let mut evidence = own_addresses(facts, self.endpoint());
        evidence.remove(&to);
        if let Some(other) = evidence.keys().find(|from| from.is_ipv4() != to.is_ipv4()) {
            let reason = format!("it is at {other}, of another address family than {to}");
            return Err(
                finding("address-family", reason).with_hint("a cluster is made for one family: it needs a new one")
            );
        }
        if evidence.len() > 1 {
            let told = evidence.iter().map(|(address, places)| {
                format!("{address} ({})", places.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
            });
            let flags: Vec<String> = evidence.keys().map(|address| format!("--from {address}")).collect();
            let reason = format!("several addresses may be its old one: {}", told.collect::<Vec<_>>().join("; "));
            let hint = format!("say which are to become {to}: {}", flags.join(" "));
            return Err(finding("old-address", reason).with_hint(hint));
        }
        // What the last change began with is looked for to the end, when no place speaks for it any more.
        let kept = ReinitProgress::of(facts).filter(|kept| kept.to == to);
        let from = evidence.into_keys().chain(kept.into_iter().flat_map(|kept| kept.from));
        Ok(AddressChange { from: from.filter(|from| *from != to).collect(), to })
    }

    /// The last change the other way round; or why not.
    fn taken_back(facts: &Facts) -> Result<AddressChange, (String, &'static str)> {
        let Some(kept) = ReinitProgress::of(facts) else {
            return Err(("its address was never changed by kfleet".to_owned(), "there is nothing to take back"));
        };
        let (from, to) = match &kept.restores {
            // It goes on, or is looked at to the end.
            Some(_) => (kept.from.clone(), kept.to),
            None => match kept.from.first() {
                Some(first) => (vec![kept.to], *first),
                None => {
                    return Err((
                        "what its address was is not kept".to_owned(),
                        "give it by --address, without --rollback",
                    ));
                }
            },
        };
        if facts.interface_of(to).is_none() {
            let hint = "give it back to the host first: the control plane could not listen there";
            return Err((format!("its old address {to} is on none of its interfaces"), hint));
        }
        Ok(AddressChange { from: from.into_iter().collect(), to })
    }

    /// What a rollback puts back.
    pub(super) fn restored(&self, facts: &Facts) -> Option<String> {
        let kept = ReinitProgress::of(facts).filter(|_| self.options.rollback)?;
        Some(kept.restores.unwrap_or(kept.backup))
    }

    /// As it concerns a worker, whose kubelet may ask yet another address; a proxy of its own is none, and what a person
    /// has named is all.
    pub(super) fn change_of(&self, change: &AddressChange, facts: &Facts) -> AddressChange {
        let asked = facts.kubeadm.kubeconfigs.get("kubelet").and_then(Kubeconfig::address);
        let asked = asked.filter(|asked| !asked.is_loopback() && self.options.from.is_empty());
        let asked = asked.filter(|asked| *asked != change.to && Some(*asked) != self.endpoint());
        let asked = asked.filter(|asked| asked.is_ipv4() == change.to.is_ipv4());
        AddressChange { from: change.from.iter().copied().chain(asked).collect(), to: change.to }
    }
}
