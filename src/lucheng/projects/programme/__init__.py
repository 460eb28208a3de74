"""The programme that spans the projects: works, projects, phases, milestones, risks, and what meetings promised."""
