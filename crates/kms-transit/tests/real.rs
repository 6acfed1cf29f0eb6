//! The contract of the port, over a real OpenBao or Vault server. `scripts/transit-real` runs it; it is no part of the other tests.
//!
//! STRONGROOM_TRANSIT_ADDR, STRONGROOM_TRANSIT_TOKEN_FILE and STRONGROOM_TRANSIT_MOUNT say where; STRONGROOM_TRANSIT_NAMESPACE and
//! STRONGROOM_TRANSIT_CA_FILE are optional. The mount should be one for this alone: keys stay behind in it.
//! The cases that import symmetric keys fail over a server that derives message keys of imported keys by another function than `hkdf_sha256`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use core::time::Duration;
use std::env::{var, var_os};
use std::path::PathBuf;
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::{Entropy, Kms};
use strongroom_kms_transit::{TransitKms, TransitOptions};
use strongroom_testkit::MachineClock;
use strongroom_testkit::kms::Fixture;

struct Real(Arc<dyn Kms>);

impl Real {
    fn new() -> Self {
        let address = var("STRONGROOM_TRANSIT_ADDR").expect("STRONGROOM_TRANSIT_ADDR says where the server is");
        let token_file =
            var("STRONGROOM_TRANSIT_TOKEN_FILE").expect("STRONGROOM_TRANSIT_TOKEN_FILE names a token file");
        let mut options = TransitOptions::new(address, token_file);
        options.mount =
            var("STRONGROOM_TRANSIT_MOUNT").expect("STRONGROOM_TRANSIT_MOUNT says where Transit is mounted");
        options.namespace = var("STRONGROOM_TRANSIT_NAMESPACE").ok();
        options.ca_file = var_os("STRONGROOM_TRANSIT_CA_FILE").map(PathBuf::from);
        options.timeout = Duration::from_secs(30);
        // Each case numbers its keys from 1.
        let mut random = [0; 8];
        OsEntropy.fill(&mut random).expect("fills");
        options.key_prefix = format!("test-{:016x}-", u64::from_be_bytes(random));
        let kms = TransitKms::new(&options, Arc::new(MachineClock), Arc::new(OsEntropy)).expect("good options");
        Self(Arc::new(kms))
    }
}

impl Fixture for Real {
    fn kms(&self) -> Arc<dyn Kms> {
        Arc::clone(&self.0)
    }

    fn keeps_material(&self) -> bool {
        true
    }
}

strongroom_testkit::kms_contract!(async { Real::new() });
