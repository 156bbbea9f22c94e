"""Those that carry a push to a device: Apple, Google, browsers' push services, and one that a site runs itself."""
