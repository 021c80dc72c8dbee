"""GPS/BeiDou devices, alarms, trajectories and dispatch, as processes on the shared layers."""
