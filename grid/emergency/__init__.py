"""应急 what an emergency needs beside the hazard: resources, shelters, cameras near a case."""
