//! The contract of the port, over the double.

mod double;

use double::Double;
use std::sync::Arc;
use strongroom_domain::port::Kms;
use strongroom_kms_transit::TransitKms;
use strongroom_testkit::kms::Fixture;

/// The contract's view of the KMS.
struct OnDouble(Arc<TransitKms>);

impl Fixture for OnDouble {
    fn kms(&self) -> Arc<dyn Kms> {
        self.0.clone()
    }

    fn keeps_material(&self) -> bool {
        true
    }
}

strongroom_testkit::kms_contract!(async { OnDouble(Arc::new(Double::start().await.kms())) });
