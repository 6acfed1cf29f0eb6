use crate::error::Error;
use std::collections::BTreeMap;
use strongroom_domain::directory::Named;
use strongroom_domain::metadata::{Metadata, check_name};

/// What is to be changed of an object's name and of what people attach to it; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct NamedPatch {
    /// Its name: 1 to 255 characters, none of them a control character. The slug stays: rules may name it.
    pub name: Option<String>,
    /// Its description: at most 1,024 characters; empty to remove it.
    pub description: Option<String>,
    /// All of its labels, in place of those that it has: at most 64.
    pub labels: Option<BTreeMap<String, String>>,
    /// All of its annotations, in place of those that it has: at most 64, their values of at most 16 KiB together.
    pub annotations: Option<BTreeMap<String, String>>,
}

impl NamedPatch {
    /// Checks what is given, whatever it is to change.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        let (labels, annotations) = (self.labels.clone(), self.annotations.clone());
        let description = self.description.clone().unwrap_or_default();
        Metadata::new(description, labels.unwrap_or_default(), annotations.unwrap_or_default())?;
        Ok(())
    }

    /// Makes the change.
    pub(crate) fn apply(&self, named: &mut Named) -> Result<(), Error> {
        if let Some(name) = &self.name {
            check_name(name)?;
            named.name.clone_from(name);
        }
        let old = &named.metadata;
        named.metadata = Metadata::new(
            self.description.clone().unwrap_or_else(|| old.description().to_owned()),
            self.labels.clone().unwrap_or_else(|| old.labels().clone()),
            self.annotations.clone().unwrap_or_else(|| old.annotations().clone()),
        )?;
        Ok(())
    }
}
