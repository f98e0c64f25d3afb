//! Python's two ways to fill texts: `'%s' % value` and `'{}'.format(value)`.

pub(super) mod braces;
mod float;
mod layout;
pub(super) mod percent;
