//! Names with a scheme: models in object stores, and names that can only be the Hub's.

/// Stores whose addresses a recipe may have: Amazon S3, Google Cloud Storage, Azure Blob Storage.
const STORES: [&str; 3] = ["s3://", "gs://", "az://"];
/// What marks a name as the Hub's, whatever folders there are.
const HUB: &str = "hf://";

/// Whether a text is the address of a model in an object store, such as `s3://bucket/models/a`.
pub fn is_in_store(text: &str) -> bool {
    STORES.iter().any(|scheme| text.starts_with(scheme))
}

/// The name in `hf://organization/name`.
pub fn hub_name(text: &str) -> Option<&str> {
    text.strip_prefix(HUB)
}

/// A store's address without a slash at its end, so that one model has one name.
pub(super) fn normal(address: &str) -> &str {
    address.strip_suffix('/').unwrap_or(address)
}

/// What to call a model in a store where addresses must not appear: the last part, as a folder's name.
pub(super) fn label(address: &str) -> String {
    let name = normal(address).rsplit('/').next().unwrap_or_default();
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_begins_with_a_known_scheme() {
        assert!(is_in_store("s3://b/a") && is_in_store("gs://b") && is_in_store("az://c/a"));
        assert!(!is_in_store("S3/a") && !is_in_store("hf://a/b") && !is_in_store("./s3://b"));
        assert_eq!(hub_name("hf://org/name"), Some("org/name"));
        assert_eq!(hub_name("org/name"), None);
        assert_eq!(label("s3://bucket/models/a/"), "a");
        assert_eq!(label("s3://bucket"), "bucket");
    }
}
