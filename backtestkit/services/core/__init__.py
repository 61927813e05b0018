"""From names to what a run needs: validated schemas, connections and machines."""
