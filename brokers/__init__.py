"""The guard round a broker, and what it needs: orders, risk, fills, the wire."""
