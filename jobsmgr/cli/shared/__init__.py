"""What commands share: their group, options, exit codes and streams. No command is here."""
