namespace Holdfast.Vault.Checking;

/// <summary>Which chunks are lost, because of what, and which nodes of the graph lead to them.</summary>
internal sealed class LossMap
{
    private readonly ChunkTable table;
    private readonly TreeGraph graph;
    private readonly Dictionary<int, List<Finding>> lost = [];
    private readonly bool[] leadsToLoss;

    public LossMap(ChunkTable table, TreeGraph graph, PackInventory packs, IndexCheck index, Findings findings)
    {
        this.table = table;
        this.graph = graph;
        leadsToLoss = new bool[graph.Nodes.Count];
        FindUnreadable(findings.All());
        FindMissing(packs, index, findings);
        if (!IsEmpty) FindPaths();
    }

    public bool IsEmpty => lost.Count == 0;

    /// <summary>The chunks that points need and that cannot be read.</summary>
    public IEnumerable<int> Numbers => lost.Keys;

    /// <summary>What made a chunk unreadable; empty when it can be read.</summary>
    public IReadOnlyList<Finding> Of(int number) => lost.GetValueOrDefault(number) ?? [];

    /// <summary>Whether a node can be read and something that it leads to cannot.</summary>
    public bool LeadsToLoss(int place) => place >= 0 && leadsToLoss[place];

    /// <summary>Says of damage that affects nothing why it does not.</summary>
    public void Reassure(IEnumerable<Finding> findings)
    {
        NumberSet? used = null;
        foreach (Finding finding in findings)
        {
            bool isPack = Packing.PackId.TryParse(finding.ObjectName, out _);
            if (!isPack || finding.Affected.Count > 0) continue;
            used ??= FindUsed();
            finding.Reassurance = finding.Chunks.Any(number => used.Contains(table.FirstOf(number)))
                ? "nothing is lost: what points need of it lies in other packs too"
                : "no point needs what it held, or it lies in other packs too";
        }
    }

    /// <summary>Chunks of which every copy is bad.</summary>
    private void FindUnreadable(List<Finding> findings)
    {
        HashSet<int> bad = [.. findings.SelectMany(finding => finding.Chunks)];
        foreach (Finding finding in findings)
        {
            foreach (int first in finding.Chunks.Select(table.FirstOf).Distinct())
            {
                if (table.CopiesOf(first).All(bad.Contains)) Add(first, finding);
            }
        }
    }

    /// <summary>Chunks that no usable pack holds: an index may tell which one did.</summary>
    private void FindMissing(PackInventory packs, IndexCheck index, Findings findings)
    {
        var nowhere = new List<int>();
        for (int i = 0; i < graph.Missing.Count; i++)
        {
            (Chunking.ChunkId id, Sealing.ObjectKind kind) = graph.Missing[i];
            IReadOnlyList<Finding> reasons = index.FindingsOf(id);
            // Without an index, any unusable pack of the kind may have held it.
            if (reasons.Count == 0) reasons = [.. packs.Unusable.Where(pack => pack.Key.Kind == kind && !index.IsNamed(pack.Key)).Select(pack => pack.Value)];
            foreach (Finding reason in reasons) Add(table.Count + i, reason);
            if (reasons.Count == 0) nowhere.Add(i);
        }

        // One finding for all: what one pack held can be thousands of chunks, of which it is not known any more where they were.
        if (nowhere.Count == 0) return;
        Finding finding = nowhere.Count == 1
            ? findings.AddAbsence($"chunk {graph.Missing[nowhere[0]].Id}", "is in no pack")
            : findings.AddAbsence("chunks", $"{nowhere.Count} that points need are in no pack, the first is {graph.Missing[nowhere[0]].Id}");
        foreach (int i in nowhere) Add(table.Count + i, finding);
    }

    private void Add(int number, Finding finding)
    {
        if (!lost.TryGetValue(number, out List<Finding>? reasons)) lost.Add(number, reasons = []);
        reasons.Add(finding);
    }

    /// <summary>From what is lost up to the roots.</summary>
    private void FindPaths()
    {
        var parents = new List<int>[graph.Nodes.Count];
        var pending = new Stack<int>();
        for (int place = 0; place < parents.Length; place++)
        {
            TreeNode node = graph.Nodes[place];
            if (node.Data.Any(lost.ContainsKey)) pending.Push(place);
            foreach (int child in node.Children)
            {
                (parents[child] ??= []).Add(place);
                if (lost.ContainsKey(graph.Nodes[child].Key.Number)) pending.Push(place);
            }
        }

        while (pending.TryPop(out int place))
        {
            if (leadsToLoss[place]) continue;
            leadsToLoss[place] = true;
            foreach (int parent in parents[place] ?? []) pending.Push(parent);
        }
    }

    private NumberSet FindUsed()
    {
        var used = new NumberSet(table.Count + graph.Missing.Count);
        foreach (TreeNode node in graph.Nodes)
        {
            used.Add(node.Key.Number);
            foreach (int number in node.Data) used.Add(number);
        }

        return used;
    }
}
