"""Pictures that stand still: colours, matplotlib and plotly figures."""
