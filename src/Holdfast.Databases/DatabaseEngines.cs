using Holdfast.Databases.Agents;
using Holdfast.Databases.Bitcask;
using Holdfast.Databases.RocksDb;
using Holdfast.Databases.Sqlite;

namespace Holdfast.Databases;

/// <summary>The engines that this program knows.</summary>
public static class DatabaseEngines
{
    private static readonly IDatabaseEngine[] All = [new BitcaskEngine(), new RocksDbEngine(path => AgentSource.TryFind(new DatabaseAddress(RocksDbEngine.EngineName, path))), new SqliteEngine()];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(engine => engine.Name)];

    /// <summary>The engine of a name.</summary>
    public static IDatabaseEngine Get(string name) =>
        All.FirstOrDefault(engine => engine.Name == name) ?? throw new ArgumentException($"no engine '{name}'", nameof(name));
}
