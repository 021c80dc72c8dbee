"""Open311 GeoReport v2 over the life cycle of cases: services are classes, service requests are cases."""
